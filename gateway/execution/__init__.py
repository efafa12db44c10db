"""From a GraphQL operation to its answer: Strawberry's executor, and the plans by which records are completed.

admission.py   how many operations run at a time, and who waits
endpoint.py    what was asked before is answered without Strawberry's view
http.py        the view, for all else
leaving.py     a client that goes away ends its operation
prepared.py    operations that were parsed and validated before
root.py        an operation's own fields, and how they are asked
context.py     what the resolvers of one operation share
batches.py     steps for many items at once
kinds.py       what a field reads, as data
leads.py       what a field leads to, for estimates
plan.py        what a selection asks, as a tree
lookout.py     everything that a plan needs is found, level by level
printing.py    and printed, by generated code
pages.py       or printed as its pages come
planned.py     the hook into graphql-core, which keeps what is doubtful
precheck.py    arguments are refused before anything is fetched
selection.py   the fields below a field
answer.py      gaps and notices, as the client reads them
"""
