"""The style of derivations in HTML: readable on paper, on a narrow screen, in the dark, and without a math font."""

from __future__ import annotations

# Fractions keep their size within fractions: Adam's step nests three, and the innermost would be too small to read.
# Browsers take the first font that they have. Without one for mathematics fractions and scripts are still set, only
# brackets don't grow, and those are few.
STYLE = """
.chainrule { --ink: #1c1d21; --soft: #63666f; --rule: #e4e5ea; --tint: #f5f6f9; --paper: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  max-width: 62rem; margin: 0 auto; padding: 1rem; color: var(--ink); background: var(--paper); }
.chainrule h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
.chainrule h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem; }
.chainrule h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
.chainrule math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Libertinus Math",
  "DejaVu Math TeX Gyre", "Noto Sans Math", "DejaVu Serif", Georgia, serif; font-size: 1.12em; math-style: normal;
  white-space: nowrap; }
.chainrule mfrac > * { math-style: normal; }
.chainrule .sides math { margin-block: .2em; }
.chainrule h2 math { font-size: 1.2em; }
.chainrule .lines { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content; margin: .3rem 0; }
.chainrule .line { display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; align-items: baseline;
  padding: .45rem .35rem; border-bottom: 1px solid var(--rule); }
.chainrule .line:last-child { border-bottom: 0; }
.chainrule .sides { overflow-x: auto; overflow-y: hidden; padding-left: .35rem; }
.chainrule .remark { color: var(--soft); font-size: .82rem; text-align: right; padding-left: .8rem; }
.chainrule .formula { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: .78rem; }
.chainrule .vectors { background: var(--tint); border-radius: 6px; margin: .6rem 0; padding: .1rem .4rem; }
.chainrule .table { overflow-x: auto; }
.chainrule table { border-collapse: collapse; margin: .5rem 0; }
.chainrule th, .chainrule td { padding: .3rem .9rem .3rem .35rem; text-align: left;
  border-bottom: 1px solid var(--rule); }
.chainrule th { color: var(--soft); font-weight: 600; font-size: .88rem; }
.chainrule .right { text-align: right; font-variant-numeric: tabular-nums; }
.chainrule mtd { padding: .2em .4em; }
@media (max-width: 40rem) {
  .chainrule { padding: .8rem .6rem; }
  .chainrule math { font-size: 1.05em; }
  .chainrule .vectors math { font-size: .95em; }
  .chainrule .lines { grid-template-columns: max-content minmax(0, 1fr); }
  .chainrule .remark { grid-column: 1 / -1; text-align: left; padding: .1rem 0 0; }
  .chainrule .remark:empty { display: none; }
}
@media (prefers-color-scheme: dark) {
  .chainrule { --ink: #e7e8ec; --soft: #a2a6b1; --rule: #2d3038; --tint: #1d2027; --paper: #14161a; }
}
@media print {
  .chainrule { --ink: #000; --soft: #444; --rule: #ccc; --tint: #fff; --paper: #fff; max-width: none; padding: 0;
    font-size: 11pt; }
  .chainrule .line, .chainrule tr { break-inside: avoid; }
  .chainrule h1, .chainrule h2, .chainrule h3 { break-after: avoid; }
  .chainrule .sides { overflow: visible; }
}
"""

PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; }
@media (prefers-color-scheme: dark) { body { background: #14161a; } }
@media print { body { background: #fff; } @page { margin: 1.5cm; } }
"""

# Colours that read on light and on dark pages alike; the verdict is a word too, so that nothing hangs on them.
MARKS_STYLE = """
.chainrule-marks table { border-collapse: collapse; } .chainrule-marks th, .chainrule-marks td { padding: .2rem .7rem;
  text-align: left; border-bottom: 1px solid #8884; } .chainrule-marks .right { text-align: right;
  font-variant-numeric: tabular-nums; }
.chainrule-marks .correct { color: #1a8a3a; } .chainrule-marks .follows { color: #b07a00; }
.chainrule-marks .wrong { color: #d13030; font-weight: bold; } .chainrule-marks .unknown { color: #888; }
"""
