"""What an operation will cost and what it did, for whoever asks to see it; and the refusal of what costs too much.

explained.py  what a client wants to see of one operation
asked.py      an operation as what it leads to
admission.py  the estimate, before anything is fetched
report.py     ``extensions.plan``
words.py      why something is fetched in the way it is, in words
tree.py       the same as text, and as a Mermaid diagram
command.py    ``ss12000-gateway explain``
"""
