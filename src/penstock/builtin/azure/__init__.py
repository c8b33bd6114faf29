"""Tasks and triggers for services of Azure."""
