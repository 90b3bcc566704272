"""Pictures, as far as a multilayer perceptron goes: arrays and folders in, `ImageModel`, classes out."""
