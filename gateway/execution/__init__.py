"""From a GraphQL operation to its answer: Strawberry's executor, and the plans by which records are completed.

http.py        the endpoint, over Strawberry's view
context.py     what the resolvers of one operation share
batches.py     steps for many items at once
kinds.py       what a field reads, as data
plan.py        what a selection asks, as a tree
lookout.py     everything that a plan needs is found, level by level
printing.py    and printed, by generated code
planned.py     the hook into graphql-core, which keeps what is doubtful
precheck.py    arguments are refused before anything is fetched
selection.py   the fields below a field
answer.py      gaps and notices, as the client reads them
"""
