"""What the shelf's models were made for, in figures: the ranges in their cards, and whether foreign samples fall outside them."""
