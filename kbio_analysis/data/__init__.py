"""The data room: the only readers of ``data/tables``, and the keepers of their passports.

Everything handed out has passed the checksum of its passport in ``data/datapackage.json``, the schema written
there and the corrections declared in ``data/corrections.yml``. Importing this package reads no file and pulls in
no scientific library; its modules hold the names: ``tables`` a table as it is, ``sources`` whom to cite, ``series``,
``published``, ``trade`` and ``tariffs`` what analyses ask for, ``claims`` and ``results`` the ledger and what other
notebooks put on record.
"""
