// Package ops holds what is shipped to machines: cloud-init, host scripts, the backup image. It
// renders text and knows nothing of Pulumi.
package ops

import _ "embed"

// DockerVersion is the Docker CE that hosts get. It is one half of a pair with Traefik: Docker 29
// refuses API versions before 1.44, which every Traefik before 3.6.1 speaks; Docker 28 accepts
// them all. Raise it to 29 only together with Traefik 3.6.1 or newer, Coolify's included.
const DockerVersion = "28.5.2"

// DockerAddressPool is what Docker takes subnets for container networks from, one /24 each. It is
// fixed so that no private network can be chosen that overlaps it.
const DockerAddressPool = "172.20.0.0/14"

// ReadyScript waits, on the host, until it can run containers. It reads READY_TIMEOUT_SECONDS.
var ReadyScript = readyScript("cloud-init", "host", "host")

// AuthorizedKeysScript replaces the keys of the user it runs as by those on standard input.
//
//go:embed cloud-init/authorized-keys.sh
var AuthorizedKeysScript string
