"""Exercise 09. What it asks is in `exercise`, how it is judged in `checks`, what people get wrong in `mistakes`."""
