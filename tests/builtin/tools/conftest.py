from tests.builtin.aws.conftest import aws_url, s3

__all__ = ["aws_url", "s3"]
