from .page import render_html_page as render_html_page
from .places import (
    place_in_template as place_in_template,
    refuse_undefined as refuse_undefined,
)
from .renderer import (
    check_template as check_template,
    render_smpl as render_smpl,
    render_text as render_text,
)
