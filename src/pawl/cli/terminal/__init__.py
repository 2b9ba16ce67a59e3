"""What a terminal needs: cells, colours, glyphs, and a sieve for text from outside."""
