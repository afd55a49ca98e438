from .environment import render_html as render_html
from .place import TemplateLine as TemplateLine
from .renderer import (
    render_smpl as render_smpl,
    render_text as render_text,
)
