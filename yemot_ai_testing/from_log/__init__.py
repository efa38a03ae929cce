"""Real calls as scenarios: logs of requests and responses become ``*.call.yaml``.

The way of the data: ``sources`` finds requests in the lines of a file (``formats``), ``calls`` sorts them by
call, ``interest`` says which calls to look at first, ``replay`` lets a ``Caller`` hear the logged responses,
``expectations`` and ``model_answers`` write what was heard and answered, ``privacy`` replaces numbers and
names, ``scenario`` writes the file.
"""
