"""How a report looks: light, dark, on a phone, on paper."""

STYLE = """
:root{--ink:#1c2430;--soft:#5b6675;--page:#fff;--card:#f6f7f9;--line:#dfe3e8;--bad:#b42318;--warn:#9a6700;
--note:#2f6f9f;--c0:#2563a8;--c1:#d9730d;--c2:#2e8b57;--c3:#a23b72;--c4:#7a6ff0;--c5:#6b7785}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b4;--page:#14181f;--card:#1d232c;
--line:#313945;--bad:#ff8a7a;--warn:#e8b339;--note:#7fbce6;--c0:#6aa9ec;--c1:#f0a35e;--c2:#68c495;
--c3:#df86b4;--c4:#aaa2ff;--c5:#aab4c0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC","PingFang SC",sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0}
.span,figcaption p,footer{color:var(--soft);margin:.1rem 0 .4rem}
.healthy{white-space:pre-line}
.finding{background:var(--card);border-left:4px solid var(--note);padding:.8rem 1rem;margin:.7rem 0;border-radius:4px}
.critical{border-color:var(--bad)}.warning{border-color:var(--warn)}
.critical .badge{color:var(--bad)}.warning .badge{color:var(--warn)}.note .badge{color:var(--note)}
.badge{font-size:.8rem;font-weight:700;text-transform:uppercase;letter-spacing:.03em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.4rem 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
figure{margin:1.2rem 0;background:var(--card);border-radius:4px;padding:.9rem 1rem}
svg{width:100%;height:auto;display:block}
.grid{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px}
polyline{fill:none;stroke-width:1.8}
polyline.s0{stroke:var(--c0)}polyline.s1{stroke:var(--c1)}polyline.s2{stroke:var(--c2)}
polyline.s3{stroke:var(--c3)}polyline.s4{stroke:var(--c4)}polyline.s5{stroke:var(--c5)}
rect.s0,.dot.s0{fill:var(--c0)}rect.s1,.dot.s1{fill:var(--c1)}rect.s2,.dot.s2{fill:var(--c2)}
rect.s3,.dot.s3{fill:var(--c3)}rect.s4,.dot.s4{fill:var(--c4)}rect.s5,.dot.s5{fill:var(--c5)}
.dot{opacity:.55}.dot:hover{opacity:1}
.mark line{stroke:var(--bad);stroke-width:2;stroke-dasharray:4 3}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.4rem 0 0;padding:0;color:var(--soft);font-size:.85rem}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.key.s0{background:var(--c0)}.key.s1{background:var(--c1)}.key.s2{background:var(--c2)}
.key.s3{background:var(--c3)}.key.s4{background:var(--c4)}.key.s5{background:var(--c5)}
details{margin-top:.6rem}summary{cursor:pointer;color:var(--soft);font-size:.9rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;margin:.5rem 0}
th,td{text-align:left;padding:.2rem .7rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word;min-width:4rem;max-width:22rem}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
abbr{text-decoration:none}
pre{overflow-x:auto;background:var(--page);padding:.7rem;border-radius:4px;font-size:.8rem}
@media (max-width:36rem){main{padding:1rem .6rem}figure,.finding{padding:.7rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}
.tick{font-size:15px}}
@media print{body{background:#fff;color:#000}figure,.finding{break-inside:avoid}details:not([open]){display:none}}
"""
