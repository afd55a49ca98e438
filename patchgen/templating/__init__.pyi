from .environment import render_html as render_html
from .renderer import (
    render_smpl as render_smpl,
    render_text as render_text,
)
