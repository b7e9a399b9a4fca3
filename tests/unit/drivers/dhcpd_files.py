"""Files as ISC dhcpd and MAAS write them: a small one of each, and the recorded ones."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[4] / "shared" / "contracts" / "maas"
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded files of the real dhcpd at {RECORDED}"
)

LEASES = r"""# This lease file was written by isc-dhcp-4.4.3-P1
authoring-byte-order little-endian;
server-duid "\000\001\"\\";

host bc-24-11-00-00-01 {
  dynamic;
  hardware ethernet bc:24:11:00:00:01;
  fixed-address 192.0.2.31;
}
host nh6b004f2155fe {
  dynamic;
  hardware ethernet bc:24:11:00:00:02;
  fixed-address 192.0.2.32;
        supersede host-name = "box; } {";
}
host bc-24-11-00-00-01 {
  dynamic;
  deleted;
}
host bc-24-11-00-00-01 {
  dynamic;
  hardware ethernet bc:24:11:00:00:01;
  fixed-address 192.0.2.41;
}
host bc-24-11-00-00-03 {
  deleted;
}
lease 192.0.2.100 {
  starts 5 2026/11/20 13:46:48;
  ends 5 2026/11/20 13:56:48;
  binding state active;
  next binding state free;
  hardware ethernet bc:24:11:00:00:07;
  client-hostname "laptop";
  on expiry {
    set clip = binary-to-ascii (10, 8, ".", leased-address) ;
    execute ("/usr/sbin/maas-dhcp-helper", "--ip", clip);
  }
}
lease 192.0.2.100 {
  starts 5 2026/11/20 13:56:48;
  ends 5 2026/11/20 14:06:48;
  binding state active;
  hardware ethernet bc:24:11:00:00:07;
  uid "\001\274$\021\000\000\007";
}
lease 192.0.2.101 {
  binding state free;
}
"""

CONFIGURATION = """
option arch code 93 = unsigned integer 16; # RFC4578
class "PXE" {
   match if substring (option vendor-class-identifier, 0, 3) = "PXE";
   default-lease-time 30;
}
default-lease-time 600;
shared-network vlan-5001 {
    subnet 192.0.2.0 netmask 255.255.255.0 {
           option routers 192.0.2.1;
           if option arch = 00:00 {
               filename "lpxelinux.0";
           } else {
               filename "bootx64.efi";
           }
           pool {
              range 192.0.2.100 192.0.2.150;
              range 192.0.2.160;
           }
    }
}
# box-eth0
host bc-24-11-00-00-01 {
   hardware ethernet BC:24:11:0:0:1;
   fixed-address 192.0.2.31;
}
group {
  host printer {
    hardware ethernet bc:24:11:00:00:09;
    fixed-address printer.lab.test, 192.0.2.9;
  }
}
on commit {
   set clip = binary-to-ascii(10, 8, ".", leased-address);
}
omapi-port 7911;
key omapi_key {
    algorithm HMAC-MD5;
    secret "c2VjcmV0";
};
omapi-key omapi_key;
"""


def recorded(name: str) -> str:
    """The text of one recorded file."""
    return (RECORDED / name).read_text("utf-8")
