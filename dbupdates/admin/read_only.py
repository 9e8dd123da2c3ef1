"""Who may ask for changes of rows that services alone write."""

from dbupdates.models import OPERATE
from stashsense.read_only_admin import OperatedAdmin


class ReadOnly(OperatedAdmin):
    """People look at the rows; some may change which release is served."""

    operate_permission = OPERATE
