#!/bin/bash
# First boot of the NAT instance: forward what comes from the VPC, as this instance's own address.
set -euo pipefail

cat >/etc/sysctl.d/90-nat.conf <<'SYSCTL'
net.ipv4.ip_forward = 1
net.ipv4.conf.all.send_redirects = 0
net.netfilter.nf_conntrack_max = 131072
SYSCTL
modprobe nf_conntrack
sysctl --system

dnf install -y nftables dnf-automatic
interface="$(ip -o route show default | awk '{ print $5; exit }')"
cat >/etc/sysconfig/nftables.conf <<NFT
flush ruleset
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "${interface}" masquerade
  }
}
NFT
systemctl enable --now nftables

# Security updates by themselves; the instance has no other way to get them.
sed -i 's/^apply_updates.*/apply_updates = yes/; s/^upgrade_type.*/upgrade_type = security/' /etc/dnf/automatic.conf
systemctl enable --now dnf-automatic.timer
