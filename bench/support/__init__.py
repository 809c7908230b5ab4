"""What measurements are made with; run.py takes the files beside this folder as subjects."""
