"""What every page shares. Nothing here is a page: Streamlit lists `pages/*.py` only."""
