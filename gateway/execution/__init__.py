"""Hooks the resolvers into Strawberry: its own executor, driven through one generic DataLoader."""
