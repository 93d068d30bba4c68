"""What exercises share: how a task is asked, judged and hinted at, how a Dockerfile is tried. Knows no single one."""
