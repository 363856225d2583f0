# The public names of the package, and the modules that hold them.

from .clips.manifest.read import read_manifest as read_manifest
from .config import ModelConfig as ModelConfig
from .config import PrepareConfig as PrepareConfig
from .config import TrainConfig as TrainConfig
from .errors import InputError as InputError
from .errors import VidmodelError as VidmodelError
from .evaluation.compare import compare as compare
from .evaluation.crossvalidate import crossvalidate as crossvalidate
from .evaluation.evaluate import evaluate as evaluate
from .export.lite.export import export_tflite as export_tflite
from .export.onnx.export import export_onnx as export_onnx
from .export.saved_model.export import export_saved_model as export_saved_model
from .forms.verify import verify as verify
from .labels import Labels as Labels
from .model.build import build_model as build_model
from .records.inspect import inspect as inspect
from .records.pipeline import load_dataset as load_dataset
from .records.pipeline import load_labels as load_labels
from .records.prepare import prepare as prepare
from .records.vocabulary import Vocabulary as Vocabulary
from .run_folder.run import load_run as load_run
from .run_folder.save_run import save_run as save_run
from .scoring.clips import predict as predict
from .training.losses import compile_arguments as compile_arguments
from .training.train import train as train
from .version import __version__ as __version__
