# What `chainrule/__init__.py` loads on first use, for type checkers and editors.
from chainrule.errors import (
    ChainruleError as ChainruleError,
    DivergenceError as DivergenceError,
    EngineError as EngineError,
    FileError as FileError,
    InputError as InputError,
    NetworkError as NetworkError,
    TrainingError as TrainingError,
)
from chainrule.files import load as load
from chainrule.layers import (
    Activation as Activation,
    Add as Add,
    BatchNorm as BatchNorm,
    Concatenate as Concatenate,
    Dense as Dense,
    Dropout as Dropout,
    Flatten as Flatten,
    Input as Input,
)
from chainrule.losses import (
    CrossEntropy as CrossEntropy,
    CustomLoss as CustomLoss,
    Huber as Huber,
    Loss as Loss,
    Quantile as Quantile,
)
from chainrule.metrics import Metric as Metric
from chainrule.model import Model as Model
from chainrule.network import Network as Network
from chainrule.tables import read_table as read_table
from chainrule.tables.model import TableModel as TableModel
from chainrule.training.callbacks import (
    Callback as Callback,
    Checkpoint as Checkpoint,
)
from chainrule.training.history import History as History
from chainrule.training.optimizers import (
    AdaGrad as AdaGrad,
    Adam as Adam,
    AdamW as AdamW,
    LBFGS as LBFGS,
    RMSProp as RMSProp,
    SGD as SGD,
)
from chainrule.training.schedules import (
    Constant as Constant,
    Cosine as Cosine,
    Exponential as Exponential,
    InverseScaling as InverseScaling,
    OneCycle as OneCycle,
    ReduceOnPlateau as ReduceOnPlateau,
    StepDecay as StepDecay,
)
from chainrule.training.stopping import (
    ConvergedWeights as ConvergedWeights,
    EarlyStopping as EarlyStopping,
    LossBelow as LossBelow,
    TimeLimit as TimeLimit,
)

__version__: str
