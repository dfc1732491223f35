"""The playground's style sheet: plain CSS, light and dark, from 320 pixels up."""

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #f3f4f9; --card: #ffffff; --ink: #171b2c; --soft: #535a72; --line: #d5d9e6;
  --accent: #4338ca; --on-accent: #ffffff; --accent-wash: #ecebfd;
  --bad: #a81e12; --bad-wash: #fdeeec; --good: #0b6b43; --good-wash: #e6f6ee;
  --browser: #0f5f78; --console: #4338ca; --tenant: #8a4b04; --shop: #97195f; --scanner: #4b5563;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1220; --card: #191d2e; --ink: #e9ebf5; --soft: #aab1c8; --line: #353b54;
    --accent: #a5a8ff; --on-accent: #14162b; --accent-wash: #25284a;
    --bad: #ffa197; --bad-wash: #3a1d1f; --good: #74dba8; --good-wash: #123226;
    --browser: #7fd0ea; --console: #b2b5ff; --tenant: #f5b866; --shop: #f79ccb; --scanner: #b6bccb;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-bottom: 7rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
       background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.4rem); line-height: 1.15; margin: .3rem 0 .75rem;
     letter-spacing: -.02em; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 .75rem; }
p { margin: 0 0 .75rem; max-width: 44rem; text-wrap: pretty; }
a { color: var(--accent); text-underline-offset: .2em; }
code, .mono { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
.top { border-bottom: 1px solid var(--line); background: var(--card); }
.top div { max-width: 60rem; margin: 0 auto; padding: .65rem 1.25rem; display: flex; flex-wrap: wrap;
           gap: .25rem 1.25rem; align-items: baseline; }
.top strong { margin-right: auto; }
.card h2 { margin-top: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: 1rem 1.15rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

button, .button { display: inline-block; font: inherit; font-weight: 650; padding: .65rem 1.3rem; border: 0;
  border-radius: .6rem; background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none; }
button:hover, .button:hover { filter: brightness(1.08); }
.quiet { background: transparent; color: var(--ink); border: 1px solid var(--soft); }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { font-weight: 650; padding: 0; margin-bottom: .6rem; }
input[type=text] { font: inherit; width: 100%; padding: .6rem .75rem; border: 1px solid var(--soft);
  border-radius: .6rem; background: var(--card); color: var(--ink); }
.pick { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.pick label { display: flex; gap: .75rem; align-items: center; cursor: pointer; }
.pick label:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.pick b { display: block; } .pick small { color: var(--soft); font-size: .9rem; }
.pick input { accent-color: var(--accent); width: 1.1rem; height: 1.1rem; flex: none; }
.field { margin-top: 1.1rem; } .field label { display: block; font-weight: 650; margin-bottom: .35rem; }
.groups { columns: 2 24rem; column-gap: 1rem; }
.groups fieldset { break-inside: avoid; margin-bottom: 1rem; }
.groups legend { float: left; width: 100%; margin-bottom: .35rem; }
.groups legend + * { clear: both; }
.switch { display: flex; gap: .8rem; align-items: center; padding: .5rem 0; cursor: pointer;
          border-top: 1px solid var(--line); }
.switch input { appearance: none; flex: none; width: 2.6rem; height: 1.5rem; margin: 0; border-radius: 1rem;
  background: var(--card); border: 2px solid var(--soft); cursor: pointer; position: relative; }
.switch input::after { content: ""; position: absolute; inset: 2px auto 2px 2px; aspect-ratio: 1; border-radius: 50%;
  background: var(--soft); transition: transform .15s; }
.switch input:checked { background: var(--bad); border-color: var(--bad); }
.switch input:checked::after { transform: translateX(1.1rem); background: var(--card); }
.go { position: sticky; bottom: 1rem; margin: 1rem 0 0; padding: .8rem 1rem; background: var(--card);
  border: 1px solid var(--soft); border-radius: .9rem; box-shadow: 0 .5rem 1.5rem rgb(0 0 0 / .18);
  display: flex; flex-wrap: wrap; gap: .5rem 1.1rem; align-items: center; }
.go p { margin: 0; flex: 1 1 14rem; } .go .wrong { display: none; color: var(--bad); }
form:has(.switch :checked) .go .wrong { display: block; } form:has(.switch :checked) .go .calm { display: none; }

.note { border-left: .3rem solid var(--accent); background: var(--accent-wash); border-radius: .3rem .6rem .6rem .3rem;
  padding: .75rem 1rem; margin: 0 0 1.25rem; }
.note.bad { border-color: var(--bad); background: var(--bad-wash); }
.note.good { border-color: var(--good); background: var(--good-wash); }
.note p:last-child, .note ul:last-child { margin-bottom: 0; } .note ul { margin: 0 0 .5rem; padding-left: 1.2rem; }
.note h2 { margin-top: 0; } .bad h2 { color: var(--bad); } .good h2 { color: var(--good); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }

.trail { list-style: none; margin: 0; padding: 0; counter-reset: hop; }
.trail li { counter-increment: hop; position: relative; padding: 0 0 1rem 3rem; }
.trail li::before { content: counter(hop); position: absolute; left: 0; top: .6rem; width: 2rem; height: 2rem;
  border-radius: 50%; background: var(--card); border: 2px solid var(--line); font-weight: 650; font-size: .9rem;
  display: grid; place-items: center; z-index: 1; }
.trail li::after { content: ""; position: absolute; left: calc(1rem - 1px); top: .6rem; bottom: -.6rem;
  border-left: 2px solid var(--line); }
.trail li:last-child::after { display: none; }
.trail .failed::before { border-color: var(--bad); color: var(--bad); background: var(--bad-wash); }
.trail .failed .card { border-color: var(--bad); }
.trail .failed .why { color: var(--bad); font-weight: 650; }
.trail .card { padding: .75rem 1rem; }
.way { display: flex; flex-wrap: wrap; gap: .15rem .55rem; align-items: center; font-weight: 650; margin: 0 0 .15rem; }
.Browser { color: var(--browser); } .Console { color: var(--console); } .Tenant { color: var(--tenant); }
.Shop { color: var(--shop); } .Scanner { color: var(--scanner); }
.way code { font-weight: 400; color: var(--soft); flex-basis: 100%; }
.why { margin: 0; max-width: none; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .1rem 1rem; margin: .6rem 0 0;
     padding-top: .6rem; border-top: 1px dashed var(--line); font: .84rem/1.5 var(--mono); }
dt { color: var(--soft); white-space: pre-wrap; } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } th:first-child { width: 7rem; }

.banner { background: #8f1d12; color: #fff; }
.banner div { max-width: 60rem; margin: 0 auto; padding: .7rem 1.25rem; display: flex; flex-wrap: wrap;
  gap: .4rem 1rem; align-items: center; }
.banner p { margin: 0; flex: 1 1 14rem; max-width: none; } .banner a { color: #fff; font-weight: 650; }
.banner :focus-visible { outline-color: #fff; }
.price { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; margin: 0; max-width: none; }
@media (max-width: 34rem) {
  main { padding: 1rem 1rem 2rem; } .top div, .banner div { padding-inline: 1rem; }
  th:first-child { width: 5.5rem; } .go { bottom: .5rem; } .go button { width: 100%; }
  .go p { flex-basis: auto; font-size: .9rem; }
  .trail li { padding-left: 0; } .trail li::before { top: -.5rem; left: .6rem; width: 1.6rem; height: 1.6rem; }
  .trail li::after { display: none; } .trail .card { padding-top: 1.3rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .35rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
"""
