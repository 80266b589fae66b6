"""The module that saved pipelines name in `model_index.json`; the class is elsewhere now.

Diffusers looks for `ModelMixin` beside a class, too, and imports no module that a folder names: a
pipeline that may have a student imports it from here.
"""

from diffusers.models.modeling_utils import ModelMixin

from models.diffusion.flux_student import StudentLoRA

__all__ = ["ModelMixin", "StudentLoRA"]
