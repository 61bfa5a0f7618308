"""OpenStack Swift in one process, run by `tests.peers.swift`: proxy, account, container and object server.

Swift's own functional tests run it so, too (its `in_process_setup`): one start instead of four, one process to freeze.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

LISTED_AT_ONCE = 50


def main(folder: Path, ports: dict[str, int], full_disk: bool) -> None:
    """Serve for ever; what the folder holds already is kept."""
    # Swift lives on green threads, and must have said so before anything else is imported.
    from swift.common import utils

    utils.monkey_patch()
    import eventlet
    import eventlet.hubs
    import eventlet.wsgi
    from swift.common import wsgi
    from swift.common.http_protocol import SwiftHttpProtocol

    # Everything of Swift's reads one file in /etc, where a test has nothing to write.
    for name, text in _configuration(folder).items():
        (folder / name).write_text(text)
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    utils.validate_hash_conf()
    if full_disk:
        # Nothing may be written while less than all of the disk is free.
        utils.FALLOCATE_RESERVE, utils.FALLOCATE_IS_PERCENT = utils.config_fallocate_value("100%")
    (folder / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    _rings(folder, ports)

    eventlet.hubs.use_hub(wsgi.get_hub())
    warnings.filterwarnings("ignore", message="capitalize_response_headers is disabled")
    servers = []
    for part, port in ports.items():
        app = wsgi.loadapp(str(folder / f"{part}.conf"), {"log_name": part})
        listening = eventlet.listen(("127.0.0.1", port), reuse_addr=True, backlog=256)
        serving = eventlet.spawn(
            eventlet.wsgi.server,
            listening,
            app,
            utils.NullLogger(),
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,
        )
        servers.append(serving)
    print("ready", flush=True)
    for server in servers:
        server.wait()


def _rings(folder: Path, ports: dict[str, int]) -> None:
    """Write who keeps what: one device, one partition, one copy."""
    from swift.common.ring import RingBuilder

    for part in ("account", "container", "object"):
        builder = RingBuilder(0, 1, 0)
        device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": ports[part], "device": "d1"}
        builder.add_dev(device | {"weight": 1.0, "replication_ip": "127.0.0.1", "replication_port": ports[part]})
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{part}.ring.gz"))


def _configuration(folder: Path) -> dict[str, str]:
    secrets = json.loads((folder / "secrets.json").read_text())
    common = f"[DEFAULT]\nswift_dir = {folder}\ndevices = {folder}/devices\nmount_check = false\nlog_level = ERROR\n"
    common += f"log_address = {folder}/no-syslog\n"
    files = {"swift.conf": f"[swift-hash]\nswift_hash_path_suffix = {secrets['hash']}\n"}
    for part in ("account", "container", "object"):
        files[f"{part}.conf"] = common + f"[pipeline:main]\npipeline = {part}-server\n"
        files[f"{part}.conf"] += f"[app:{part}-server]\nuse = egg:swift#{part}\n"
    account, _, user = secrets["access_key"].partition(":")
    files["proxy.conf"] = (
        common
        + "[pipeline:main]\npipeline = catch_errors s3api tempauth container-quotas slo proxy-server\n"
        + "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        + "conn_timeout = 2\nnode_timeout = 10\nrecoverable_node_timeout = 10\n"
        + f"[filter:tempauth]\nuse = egg:swift#tempauth\nuser_{account}_{user} = {secrets['secret_key']} .admin\n"
        + "[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\n"
        # S3 lists a thousand at once; with fewer, several pages are listed without minutes of storing objects first.
        + f"max_bucket_listing = {LISTED_AT_ONCE}\n"
        + "".join(
            f"[filter:{name}]\nuse = egg:swift#{name.replace('-', '_')}\n"
            for name in ("catch_errors", "container-quotas", "slo")
        )
    )
    return files


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), "full-disk" in sys.argv[3:])
