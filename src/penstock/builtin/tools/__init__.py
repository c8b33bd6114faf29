"""Tasks for the command-line tools of others, such as Terraform or dbt."""
