"""The small model that the project trains and ships: scenes with exact truth, training, export, measures."""
