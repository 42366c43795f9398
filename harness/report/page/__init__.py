"""The verdict as one page: ``verdict.html``, for whoever was not there."""
