"""The terminal consultation: reading questions, opening the model, showing answers, keeping the conversation."""
