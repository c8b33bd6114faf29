"""`penstock doctor`: looks at everything a server needs and names the command that mends what is missing.

Implements BEY-034.
"""

from penstock.wiring.doctor.examination import examine
from penstock.wiring.doctor.findings import Finding, Level, Patient

__all__ = ["Finding", "Level", "Patient", "examine"]
