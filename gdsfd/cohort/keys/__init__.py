"""Keys: ids, items, codes and levels; which spellings are probably one, and which texts mean "no value"."""
