"""The page's look: warm paper, ink, one rose accent; serif headings, generous space."""

from __future__ import annotations

from gradio.themes.base import Base
from gradio.themes.utils import colors, fonts, sizes

ROSE = colors.Color(
    name="rose",
    c50="#fdf4f4",
    c100="#fae6e6",
    c200="#f4cccd",
    c300="#e9a7aa",
    c400="#d97f85",
    c500="#b84a58",
    c600="#9d3546",
    c700="#832839",
    c800="#6c2233",
    c900="#5a1f2e",
    c950="#330d17",
)
PAPER = colors.Color(
    name="paper",
    c50="#fbf8f5",
    c100="#f4efe9",
    c200="#e8dfd6",
    c300="#d3c6ba",
    c400="#a6968a",
    c500="#7a6b61",
    c600="#5e5149",
    c700="#463c36",
    c800="#2c2623",
    c900="#1c1816",
    c950="#120f0e",
)


def build_theme() -> Base:
    """Light and dark from the same few colours; body text at 7:1 contrast or more."""
    return Base(
        primary_hue=ROSE,
        secondary_hue=ROSE,
        neutral_hue=PAPER,
        radius_size=sizes.radius_lg,
        font=[fonts.Font("Inter"), fonts.Font("system-ui"), fonts.Font("sans-serif")],
    ).set(
        body_background_fill="*neutral_50",
        body_text_color="*neutral_800",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_border_width="0px",
        block_shadow="none",
        block_background_fill="white",
        block_background_fill_dark="*neutral_800",
        block_label_text_color="*neutral_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_text_color="white",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_300",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
    )


SCRIPT = """() => {
  const mend = () => document.querySelectorAll('.empty[aria-label]:not([role])')
    .forEach(empty => empty.setAttribute('role', 'img'));
  new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
  mend();
}"""
"""Gradio names a place without a picture, but gives it no role by which a name may be heard."""

CSS = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; }
.gradio-container .app { padding: clamp(12px, 3vw, 32px) !important; }
.caption-label { opacity: 1 !important; hyphens: auto; overflow-wrap: anywhere; }
.label-wrap span { text-align: left; }
#brand h1 { font-family: Georgia, 'Times New Roman', serif; font-weight: 400;
  font-size: 2.6rem; letter-spacing: .02em; margin: .4em 0 0; }
#brand p { margin: .1em 0 .6em; font-size: 1.05rem; }
#privacy p { font-size: .85rem; color: var(--body-text-color-subdued); }
#report p, #tryon-report p, #rate p {
  font-size: .92rem; color: var(--body-text-color-subdued); min-height: 1.4em; }
#advice p, #tryon-advice p {
  border-left: 3px solid var(--primary-500); padding: .2em .8em; margin: .2em 0; }
.heading p { font-family: Georgia, 'Times New Roman', serif; font-size: 1.15rem; margin: 0; }
#looks .grid-wrap, #garments .grid-wrap, #swatches .grid-wrap, #read-pictures .grid-wrap,
#similar-looks .grid-wrap, #so-far .grid-wrap {
  max-height: none; height: auto !important; min-height: 0 !important; }
#looks .grid-container, #so-far .grid-container {
  grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
#garments .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
#swatches .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)) !important; }
#similar-looks .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; }
#mirror img { width: 100%; border-radius: 12px; transform: scaleX(-1); }
#looks .caption-label, #garments .caption-label, #swatches .caption-label,
#similar-looks .caption-label {
  left: 0; right: 0; bottom: 0; max-width: none; border-radius: 0;
  padding: 1px 4px; font-size: .72rem; text-align: center; white-space: normal; }
#read-table { max-width: 100%; }
#read-table td, #read-table th { font-size: .8rem; overflow-wrap: anywhere; }
#product-report p { min-height: 1.4em; }
:focus-visible { outline: 3px solid var(--primary-500) !important; outline-offset: 2px; }
.dark :focus-visible { outline-color: var(--primary-300) !important; }
input[type=range]::-webkit-slider-thumb { border: 2px solid var(--primary-600); }
input[type=range]::-moz-range-thumb { border: 2px solid var(--primary-600); }
.block:has(.empty) + .divider { display: none; }
.divider { overflow: visible !important; padding: 8px 0 !important; }
.divider .head, .divider .min_value, .divider .max_value { display: none; }
#licences p { font-size: .92rem; overflow-wrap: anywhere; }
label[data-testid=block-label] { max-width: calc(100% - 2.6rem); }
@media (max-width: 640px) {
  #looks .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
  #read-table td, #read-table th { font-size: .68rem; padding: 2px !important; }
  #swatches .grid-container, #similar-looks .grid-container {
    grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
  .gradio-container .app { padding: clamp(12px, 3vw, 32px) !important; }
.caption-label { opacity: 1 !important; hyphens: auto; overflow-wrap: anywhere; }
.label-wrap span { text-align: left; }
#brand h1 { font-size: 2rem; }
  .tab-container button { padding: 0 .55rem !important; }
}
"""
