#!/usr/bin/env bash
# minislurm.sh up|down DIR: a Slurm of one machine with two virtual nodes, cpu1 and gpu1 (a fake GPU), state in DIR.
set -euo pipefail
command=$1
state=$(readlink -f "${2:?a folder for its state}")

up() {
  mkdir -p "$state"/{ctld,log,spool/cpu1,spool/gpu1} /etc/slurm /run/munge
  chown munge:munge /run/munge
  munge -n >/dev/null 2>&1 || runuser -u munge -- /usr/sbin/munged
  cat > /etc/slurm/slurm.conf <<CONF
ClusterName=tiny
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
JobCompType=jobcomp/none
MinJobAge=86400
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/spool/%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.%n.pid
SlurmctldLogFile=$state/log/slurmctld.log
SlurmdLogFile=$state/log/slurmd.%n.log
KillWait=5
NodeName=cpu1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17001 CPUs=2 RealMemory=8000 State=UNKNOWN
NodeName=gpu1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17002 CPUs=2 RealMemory=8000 Gres=gpu:fake:1 State=UNKNOWN
PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=gpu1 MaxTime=INFINITE State=UP
CONF
  printf 'AutoDetect=off\nNodeName=gpu1 Name=gpu Type=fake File=/dev/null\n' > /etc/slurm/gres.conf
  slurmctld -c
  sleep 1
  slurmd -N cpu1
  slurmd -N gpu1
  for _ in $(seq 30); do
    [ "$(sinfo -h -N -t idle | wc -l)" = 2 ] && break
    sleep 1
  done
  sinfo -N -o "%N %P %G %T"
}

down() {
  for name in slurmd.cpu1 slurmd.gpu1 slurmctld; do
    if [ -f "$state/$name.pid" ]; then kill "$(cat "$state/$name.pid")" || true; fi
  done
}

"$command"
