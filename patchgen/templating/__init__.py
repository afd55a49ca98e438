"""Templates: the only room that knows Jinja2."""

from patchgen.templating.environment import render_html, render_smpl, render_text
from patchgen.templating.lines import TemplateLine

__all__ = ["TemplateLine", "render_html", "render_smpl", "render_text"]
