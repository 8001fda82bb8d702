"""The worker dies with its server, and everything it started dies with it; nothing of a user's machine reaches it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from medianest.downloads.worker import confinement
from tests.downloads.worker.driver import ROOT, WorkerProcess, children_of, is_running, wait_until
from tests.site import Site, clips

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")


@pytest.fixture
def slow_ffmpeg(tmp_path: Path) -> str:
    """Real ffmpeg that reads no faster than the video plays: a merge of 30 s takes 30 s."""
    program = tmp_path / "programs" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\ncase "$*" in *-bsfs*) exec /usr/bin/ffmpeg "$@";; esac\nexec /usr/bin/ffmpeg -re "$@"\n'
    )
    program.chmod(0o755)
    (program.parent / "ffprobe").symlink_to("/usr/bin/ffprobe")
    return str(program)


def begin_merge(worker: WorkerProcess, site: Site) -> int:
    """The process id of an ffmpeg in the middle of a merge."""
    worker.extract(site.url("/dash/long/manifest.mpd?length=30"), "merge")
    worker.send("download")
    wait_until(lambda: list(worker.staging("merge").glob("*.temp.mp4")), 20)
    (ffmpeg,) = children_of(worker.process.pid)
    return ffmpeg


def test_the_end_of_its_input_ends_the_whole_group(tmp_path: Path, site: Site, slow_ffmpeg: str) -> None:
    with WorkerProcess(tmp_path, ffmpeg=slow_ffmpeg, ffprobe=None) as worker:
        ffmpeg = begin_merge(worker, site)
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        wait_until(lambda: not is_running(worker.process.pid) and not is_running(ffmpeg), 15)  # the merge takes 30 s


def test_the_end_of_its_input_ends_a_stalled_download(own_worker: WorkerProcess, site: Site) -> None:
    own_worker.extract(site.url("/clip/stalled.mp4?length=4&size=600000&stall=200000"), "stall")
    own_worker.send("download")
    own_worker.wait_for("progress")
    assert own_worker.process.stdin is not None
    own_worker.process.stdin.close()
    wait_until(lambda: own_worker.process.poll() is not None, 15)


def test_a_killed_worker_takes_its_ffmpeg_with_it(tmp_path: Path, site: Site, slow_ffmpeg: str) -> None:
    with WorkerProcess(tmp_path, ffmpeg=slow_ffmpeg, ffprobe=None) as worker:
        ffmpeg = begin_merge(worker, site)
        os.kill(worker.process.pid, signal.SIGKILL)
        wait_until(lambda: not is_running(ffmpeg), 15)


def test_a_merge_that_was_killed_is_done_again_without_fetching_anything_twice(
    tmp_path: Path, site: Site, slow_ffmpeg: str
) -> None:
    with WorkerProcess(tmp_path, ffmpeg=slow_ffmpeg, ffprobe=None) as worker:
        begin_merge(worker, site)
        os.kill(worker.process.pid, signal.SIGKILL)
    site.forget()
    with WorkerProcess(tmp_path) as worker:
        done = worker.fetch(site.url("/dash/long/manifest.mpd?length=30"), "merge")
        assert done["event"] == "done", done
    assert done["duration_s"] == pytest.approx(30, abs=0.5)
    assert site.asked("/dash/long/picture.mp4") == site.asked("/dash/long/sound.m4a") == []
    assert [path.name for path in worker.staging("merge").glob("media*")] == ["media.v1+a1.mp4"]


def test_a_worker_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "w = subprocess.Popen([sys.executable, '-m', 'medianest', '_worker'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,"
        " start_new_session=True)\n"
        "fd = __import__('os').dup(w.stdin.fileno())\n"
        f'w.stdin.write(b\'{{"op":"configure","cache_dir":"{tmp_path}","temp_dir":"{tmp_path}/t"}}\\n\'); w.stdin.flush()\n'
        "w.stdout.readline(); print(w.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    wait_until(lambda: not is_running(worker), 5)


def test_a_killed_download_goes_on_from_its_partial_file(tmp_path: Path, site: Site) -> None:
    url = site.url("/clip/resumed.mp4?length=8&size=2000000&throttle=1000000")
    with WorkerProcess(tmp_path) as worker:
        worker.extract(url, "resume")
        worker.send("download")
        wait_until(lambda: worker.partials("resume") > 600_000, 20)
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        kept = worker.partials("resume")
    site.forget()
    with WorkerProcess(tmp_path) as worker:
        done = worker.fetch(url, "resume")
    assert done["event"] == "done", done
    assert Path(done["files"]["media"]).read_bytes() == clips.clip(8, 2_000_000).read_bytes()
    look, media = site.asked("/clip/resumed.mp4")
    assert (look.range, media.range) == (None, f"bytes={kept}-")
    assert media.bytes_sent == clips.clip(8, 2_000_000).stat().st_size - kept


def test_a_finished_file_is_not_fetched_again(tmp_path: Path, site: Site) -> None:
    """Killed between the last byte and the answer."""
    url = site.url("/clip/whole.mp4")
    with WorkerProcess(tmp_path) as worker:
        worker.fetch(url, "whole")
        site.forget()
        assert worker.fetch(url, "whole")["event"] == "done"
    assert len(site.asked("/clip/whole.mp4")) == 1  # the look at the link


def test_a_half_written_file_of_ffmpeg_does_not_stay(own_worker: WorkerProcess, site: Site) -> None:
    own_worker.staging("left").mkdir(parents=True)
    (own_worker.staging("left") / "media.mp4.temp.mp4").write_bytes(b"half")
    own_worker.fetch(site.url("/clip/left.mp4"), "left")
    assert [path.name for path in own_worker.staging("left").iterdir()] == ["media.mp4.mp4"]


def test_walls_of_the_system_are_up(tmp_path: Path, site: Site) -> None:
    with WorkerProcess(tmp_path, limits={"file_size_bytes": 50_000_000}) as worker:
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        limits = Path(f"/proc/{worker.process.pid}/limits").read_text()
    assert "NoNewPrivs:\t1" in status
    rows = {line[:25].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max file size"] == ["50000000", "50000000"]
    assert int(rows["Max open files"][1]) <= 1024


def test_a_file_beyond_the_limit_fails_and_the_worker_goes_on(tmp_path: Path, site: Site) -> None:
    with WorkerProcess(tmp_path, limits={"file_size_bytes": 300_000}) as worker:
        failed = worker.fetch(site.url("/clip/large.mp4?length=4&size=600000"), "large")
        assert (failed["event"], failed["class"]) == ("failed", "unsupported")
        assert worker.fetch(site.url("/clip/small.mp4"), "small")["event"] == "done"


def test_memory_can_be_limited(tmp_path: Path, site: Site) -> None:
    with WorkerProcess(tmp_path, limits={"memory_bytes": 2 * 1024**3}) as worker:
        assert "Max address space         2147483648" in Path(f"/proc/{worker.process.pid}/limits").read_text()
        assert worker.fetch(site.url("/clip/x.mp4"), "memory")["event"] == "done"


def test_children_find_nothing_of_the_user_in_their_environment(own_worker: WorkerProcess, site: Site) -> None:
    """What a child of the worker sees: a stand-in for ffmpeg writes its environment down."""
    folder = own_worker.folder
    program = folder / "ffmpeg"
    program.write_text(f'#!/bin/sh\nenv > "{folder}/environment"\nexec /usr/bin/ffmpeg "$@"\n')
    program.chmod(0o755)
    spoiled = {
        "no_proxy": "*",
        "XDG_CONFIG_HOME": "/home/ana/.config",
        "HTTPS_PROXY": "http://other:1",
        "FFREPORT": "file=/tmp/x",
    }
    with WorkerProcess(folder, spoiled, ffmpeg=str(program), ffprobe=None) as worker:
        worker.fetch(site.url("/page/opengraph/env"), "env")
    seen = dict(line.partition("=")[::2] for line in (folder / "environment").read_text().splitlines())
    assert not {"no_proxy", "NO_PROXY", "XDG_CONFIG_HOME", "FFREPORT"} & seen.keys()
    proxies = {
        seen[name] for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    }
    assert len(proxies) == 1
    assert proxies.pop().startswith("http://worker:")
    assert seen["TMPDIR"] == seen["HOME"] == str(folder / "tmp")


def test_a_users_configuration_and_plug_ins_are_not_read(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    config = home / ".config" / "yt-dlp"
    plugins = config / "plugins" / "planted" / "yt_dlp_plugins" / "extractor"
    plugins.mkdir(parents=True)
    (config / "config").write_text(
        f"--exec 'touch {tmp_path}/ran'\n-o {tmp_path}/elsewhere.%(ext)s\n--write-info-json\n"
    )
    (home / ".netrc").write_text("machine x login y password z\n")
    (plugins / "planted.py").write_text(f"open({str(tmp_path / 'plugged')!r}, 'w').close()\n")
    on_path = tmp_path / "path" / "yt_dlp_plugins" / "extractor"
    on_path.mkdir(parents=True)
    (on_path / "planted.py").write_text(f"open({str(tmp_path / 'plugged')!r}, 'w').close()\n")
    spoiled = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "PYTHONPATH": str(tmp_path / "path")}
    with WorkerProcess(tmp_path, spoiled) as worker:
        assert worker.fetch(site.url("/clip/x.mp4"), "user")["event"] == "done"
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "plugged").exists()
    assert not (tmp_path / "elsewhere.mp4").exists()
    assert [path.name for path in worker.staging("user").iterdir()] == ["media.mp4.mp4"]


def test_what_libraries_print_never_gets_into_the_answers(own_worker: WorkerProcess, site: Site) -> None:
    own_worker.fetch(site.url("/clip/x.mp4"), "quiet")
    own_worker.extract(site.url("/status/404"))
    assert all("event" in event for event in own_worker.events)
    assert "ERROR" in own_worker.log


def test_without_ffmpeg_plain_files_work_and_what_needs_it_says_so(tmp_path: Path, site: Site) -> None:
    with WorkerProcess(tmp_path, ffmpeg=None, ffprobe=None) as worker:
        done = worker.fetch(site.url("/page/opengraph/plain"), "plain")
        assert (done["event"], done["vcodec"]) == ("done", "avc1")
        assert done["files"]["picture"].endswith("picture.jpg")
        assert worker.fetch(site.url("/dash/x/manifest.mpd"), "dash")["class"] == "ffmpeg_missing"
        assert worker.fetch(site.url("/clip/x.mp4"), "sound", audio_only=True)["class"] == "ffmpeg_missing"
        assert worker.fetch(site.url("/hls/x/master.m3u8"), "hls")["event"] == "done"


def test_importing_the_worker_loads_no_yt_dlp() -> None:
    code = "import sys, medianest.downloads.worker.main; print('yt_dlp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


def test_ending_the_group_spares_a_group_that_is_not_its_own() -> None:
    code = "from medianest.downloads.worker.protocol import end_process_group; end_process_group()"
    command = ["sh", "-c", f'{sys.executable} -c "{code}"; echo alive']
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
    assert done.stdout.strip() == "alive"


def test_children_are_tied_to_the_process_once_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess.Popen, "__init__", subprocess.Popen.__init__)
    confinement.tie_children_to_this_process()
    done = subprocess.run(["true"], check=False, timeout=10)
    assert done.returncode == 0
