"""`huilian member` and `huilian person`: institutions, how they join, their keys, and their people."""
