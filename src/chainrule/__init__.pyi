# What `chainrule/__init__.py` loads on first use, for type checkers and editors.
from chainrule.augment import Augment as Augment
from chainrule.errors import (
    ChainruleError as ChainruleError,
)
from chainrule.errors import (
    DivergenceError as DivergenceError,
)
from chainrule.errors import (
    EngineError as EngineError,
)
from chainrule.errors import (
    FileError as FileError,
)
from chainrule.errors import (
    InputError as InputError,
)
from chainrule.errors import (
    NetworkError as NetworkError,
)
from chainrule.errors import (
    TrainingError as TrainingError,
)
from chainrule.estimators import (
    MLPClassifier as MLPClassifier,
)
from chainrule.estimators import (
    MLPRegressor as MLPRegressor,
)
from chainrule.estimators import (
    TableClassifier as TableClassifier,
)
from chainrule.estimators import (
    TableRegressor as TableRegressor,
)
from chainrule.explain.derivation import Derivation as Derivation
from chainrule.explain.derivation_of_expression import explain_expression as explain_expression
from chainrule.explain.marking.marks import Marks as Marks
from chainrule.explain.practice.exercise import Exercise as Exercise
from chainrule.explain.worksheets.worksheet import (
    Worksheet as Worksheet,
)
from chainrule.explain.worksheets.worksheet import (
    read_worksheet as read_worksheet,
)
from chainrule.files import load as load
from chainrule.health.ailment import Finding as Finding
from chainrule.health.report import Diagnosis as Diagnosis
from chainrule.health.watching import Doctor as Doctor
from chainrule.images.image_model import ImageModel as ImageModel
from chainrule.knobs.trail import Trail as Trail
from chainrule.knobs.turning import Turned as Turned
from chainrule.layers import (
    Activation as Activation,
)
from chainrule.layers import (
    Add as Add,
)
from chainrule.layers import (
    BatchNorm as BatchNorm,
)
from chainrule.layers import (
    Concatenate as Concatenate,
)
from chainrule.layers import (
    Dense as Dense,
)
from chainrule.layers import (
    Dropout as Dropout,
)
from chainrule.layers import (
    Embedding as Embedding,
)
from chainrule.layers import (
    EmbeddingSum as EmbeddingSum,
)
from chainrule.layers import (
    Flatten as Flatten,
)
from chainrule.layers import (
    Input as Input,
)
from chainrule.layers import (
    Mix as Mix,
)
from chainrule.layers import (
    OneHot as OneHot,
)
from chainrule.layers import (
    PiecewiseLinear as PiecewiseLinear,
)
from chainrule.layers import (
    Scale as Scale,
)
from chainrule.layers import (
    quantile_knots as quantile_knots,
)
from chainrule.losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
)
from chainrule.losses import (
    CrossEntropy as CrossEntropy,
)
from chainrule.losses import (
    CustomLoss as CustomLoss,
)
from chainrule.losses import (
    Huber as Huber,
)
from chainrule.losses import (
    Loss as Loss,
)
from chainrule.losses import (
    Quantile as Quantile,
)
from chainrule.members import (
    Members as Members,
)
from chainrule.members import (
    fit_members as fit_members,
)
from chainrule.metrics import Metric as Metric
from chainrule.model import Model as Model
from chainrule.network import Network as Network
from chainrule.objective import Objective as Objective
from chainrule.optimizers import (
    LBFGS as LBFGS,
)
from chainrule.optimizers import (
    SGD as SGD,
)
from chainrule.optimizers import (
    AdaGrad as AdaGrad,
)
from chainrule.optimizers import (
    Adam as Adam,
)
from chainrule.optimizers import (
    AdamW as AdamW,
)
from chainrule.optimizers import (
    RMSProp as RMSProp,
)
from chainrule.schedules import (
    Constant as Constant,
)
from chainrule.schedules import (
    Cosine as Cosine,
)
from chainrule.schedules import (
    CosLog4 as CosLog4,
)
from chainrule.schedules import (
    Exponential as Exponential,
)
from chainrule.schedules import (
    FlatCosine as FlatCosine,
)
from chainrule.schedules import (
    InverseScaling as InverseScaling,
)
from chainrule.schedules import (
    OneCycle as OneCycle,
)
from chainrule.schedules import (
    ReduceOnPlateau as ReduceOnPlateau,
)
from chainrule.schedules import (
    StepDecay as StepDecay,
)
from chainrule.tables import read_table as read_table
from chainrule.tables.table_model import TableModel as TableModel
from chainrule.training.callbacks import (
    Checkpoint as Checkpoint,
)
from chainrule.training.history import History as History
from chainrule.training.run import Callback as Callback
from chainrule.training.stopping import (
    ConvergedWeights as ConvergedWeights,
)
from chainrule.training.stopping import (
    EarlyStopping as EarlyStopping,
)
from chainrule.training.stopping import (
    LossBelow as LossBelow,
)
from chainrule.training.stopping import (
    Stop as Stop,
)
from chainrule.training.stopping import (
    TimeLimit as TimeLimit,
)

__version__: str
