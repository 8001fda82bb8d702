"""What lies under a folder: a local disk, or a share on the network where SQLite's WAL is not safe."""

from __future__ import annotations

from pathlib import Path

NETWORK_FILE_SYSTEMS = frozenset(
    (
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "fuse.sshfs",
        "fuse.rclone",
        "glusterfs",
        "fuse.glusterfs",
        "afs",
    )
)


def file_system_of(folder: Path, mounts: str | None = None) -> str:
    """Name of the file system that holds `folder`, or `""` where the system does not say (other than Linux).

    Args:
        mounts: text of `/proc/self/mounts`; read from there when left out.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
        except OSError:
            return ""
    resolved = folder.resolve()
    best, found = -1, ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(parts[1].replace("\\040", " "))
        if (resolved == point or point in resolved.parents) and len(point.parts) >= best:
            best, found = len(point.parts), parts[2]
    return found


def is_network_file_system(folder: Path) -> bool:
    """Whether `folder` lies on a network share."""
    return file_system_of(folder) in NETWORK_FILE_SYSTEMS


def own_folders(data_dir: Path, database_url: str) -> tuple[Path, ...]:
    """Where MediaNest's own data lies: the data folder, and the database's when that is a file elsewhere."""
    if not database_url.startswith("sqlite:///"):
        return (data_dir,)
    folder = Path(database_url.removeprefix("sqlite:///")).parent
    return (data_dir,) if folder == data_dir else (data_dir, folder)
