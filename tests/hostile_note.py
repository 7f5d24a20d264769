"""A note that tries to run a script in whoever looks at it."""

NAME = '<img src=x onerror=alert(1)> "quoted".md'
HOSTILE = """# Title <script>window.hacked = 1</script>

## Heading <img src=x onerror="window.hacked = 2">

The basilisk setting is described by <script>window.hacked = 3</script> this line & an ampersand.

<script>window.hacked = 4</script>

<iframe src="https://example.com/frame"></iframe>

<div onclick="window.hacked = 5" style="position:fixed">A block of raw HTML</div>

A [script link](javascript:window.hacked=6), a [data link](data:text/html,<script>window.hacked=7</script>), a
[spaced link](<java script:alert(1)>), a [tabbed link](java&#9;script:alert(1)), a [VBScript link](vbscript:x) and
<javascript:window.hacked=8>. A [file link](file:///etc/passwd), a [scheme-less link](//example.com/x), a
[link out](../../etc/passwd) and a [good link](https://example.com/a?b=c&d="e").

![a picture](https://example.com/pixel.png "onerror=alert(1)") and ![](x" onerror="window.hacked=9) and
<img src="https://example.com/pixel.png" onerror="window.hacked=10">

[reference]: javascript:window.hacked=11
A [link by reference][reference] and a wiki link [[javascript:alert(1)|wiki]].

- item <b onmouseover="window.hacked=12">bold</b>
- `code <script>window.hacked=13</script>`

| column <svg onload="window.hacked=14"> | other |
| --- | --- |
| cell <a href="javascript:window.hacked=15">raw link</a> | "quotes' & more |

```html" onmouseover="window.hacked=16
</code></pre><script>window.hacked = 17</script>
\u202egnp.exe
```
"""
QUESTION = "Which setting does the basilisk line describe?"
"""Which it answers."""
