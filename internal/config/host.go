package config

// Server is the Hetzner server of phases 0 to 2.
type Server struct {
	// Hetzner server type. Growing it keeps the server (it restarts); the disk never shrinks.
	Type string `key:"type" default:"cpx31" format:"server-type"`
	// Operating system image.
	Image string `key:"image" default:"ubuntu-24.04" enum:"ubuntu-24.04|ubuntu-22.04|debian-12" replaces:"nothing: it is read when the server is first made"`
	// Where the server and its volume are.
	Location string `key:"location" default:"nbg1" format:"location" replaces:"the server and its volume, refused while they are protected"`
	// Other locations, best first, for when Hetzner has no such server at the first. They are for
	// people to choose from: nothing is moved automatically.
	FallbackLocations []string `key:"fallbackLocations" derived:"the other locations near it that have the type" format:"location" max:"5" example:"[fsn1, hel1]"`
	// Size of the data volume, which holds all Docker volumes. It only grows.
	VolumeSizeGiB int `key:"volumeSizeGiB" default:"40" unit:"GiB" min:"10" max:"10240"`
	// Size of the swap file; 0 makes none.
	SwapMiB int `key:"swapMiB" default:"2048" unit:"MiB" min:"0" max:"16384" replaces:"nothing: it is read when the server is first made"`
	// Memory kept for the kernel, Docker and the page cache: limits may not use it.
	ReservedMemoryMiB int `key:"reservedMemoryMiB" default:"1024" unit:"MiB" min:"256" max:"65536"`
	// Time zone of the server and of the containers that show times.
	Timezone string `key:"timezone" default:"Etc/UTC" format:"timezone" replaces:"nothing: it is read when the server is first made"`
	// Address range of the private network, apart from AWS's 10.64.0.0/10 and from what Docker uses.
	NetworkCIDR string `key:"networkCidr" default:"10.10.0.0/16" format:"network-cidr" replaces:"the private network"`
	// Address range of the server's subnet, inside the network.
	SubnetCIDR string `key:"subnetCidr" default:"10.10.1.0/24" format:"subnet-cidr" replaces:"the subnet"`
	// Docker Engine version that is installed and held.
	DockerVersion string `key:"dockerVersion" default:"28.5.2" format:"version" replaces:"nothing: it is read when the server is first made"`
	// Hetzner's own daily image backups of the server's disk (not of the volume).
	Backups bool `key:"backups" default:"true"`
	// Whether the server has a public IPv6 address too.
	IPv6 bool `key:"ipv6" default:"true"`
	// When the server may restart after security updates, in server.timezone; empty never restarts it. An
	// hour or more after backups.schedule, which is in UTC whatever the time zone.
	RebootTime string `key:"rebootTime" default:"'04:30'" empty:"never restarts" format:"time" replaces:"nothing: it is read when the server is first made"`
}

// SSH is how the server is reached.
type SSH struct {
	// Account for people and for deployments; it is in the docker group. Root cannot sign in.
	User string `key:"user" default:"morphee" format:"unix-user" replaces:"nothing: it is read when the server is first made"`
	// Public keys that may sign in. They are kept up to date on a living server.
	AuthorizedKeys []string `key:"authorizedKeys" required:"in phases 0 to 2" max:"50" format:"ssh-public-key" example:"[ssh-ed25519 AAAAC3Nza… ops@morphee.app]"`
	// Address ranges that may connect.
	AllowedSources []string `key:"allowedSources" required:"in phases 0 to 2" max:"50" format:"cidr" example:"[198.51.100.7/32]"`
	// Whether allowedSources may hold ranges wider than /8 (IPv6: /16), such as 0.0.0.0/0.
	AllowAnySource bool `key:"allowAnySource" default:"false"`
	// Port of the SSH server.
	Port int `key:"port" default:"22" min:"1" max:"65535" replaces:"nothing: it is read when the server is first made"`
	// Options that the Docker provider gives to ssh, instead of its own: take a host key the first
	// time it is seen, refuse a changed one, keep the connection alive.
	Options []string `key:"options" max:"40" example:"[-o, StrictHostKeyChecking=yes]"`
	// How long a new server may take until it is ready for deployments.
	ReadyTimeoutSeconds int `key:"readyTimeoutSeconds" default:"600" unit:"s" min:"60" max:"3600"`
}

// Coolify is an installation of Coolify on the server.
type Coolify struct {
	// Version that is installed. Its Traefik must speak the API of server.dockerVersion.
	Version string `key:"version" default:"4.0.0-beta.464" format:"version" replaces:"nothing: it is read when the server is first made"`
	// Docker network that Coolify's Traefik is on.
	Network string `key:"network" default:"coolify" format:"name"`
}

// Limits bound one container.
type Limits struct {
	// Memory; the container is killed above it.
	MemoryMiB int `key:"memoryMiB" unit:"MiB" min:"16" max:"196608"`
	// Processor time, in cores.
	CPUs float64 `key:"cpus" unit:"cores" min:"0.05" max:"48"`
	// Processes and threads. Counted over all containers that run as the same user id, as PostgreSQL's and
	// Redis's do: these need 256 or more each.
	Pids int `key:"pids" default:"256" unit:"processes" min:"16" max:"32768"`
}

// ServiceLimits bounds every container on the server.
type ServiceLimits struct {
	// The reverse proxy (not with Coolify, which has its own).
	Traefik Limits `key:"traefik" default:"{memoryMiB: 128, cpus: 0.2}"`
	// The web application.
	Frontend Limits `key:"frontend" default:"{memoryMiB: 128, cpus: 0.2}"`
	// The backend.
	Backend Limits `key:"backend" default:"{memoryMiB: 2048, cpus: 1.25, pids: 512}"`
	// Redis. Four fifths of the memory are for data, and must have room for alarms.redisMemoryMB.
	Redis Limits `key:"redis" default:"{memoryMiB: 320, cpus: 0.25}"`
	// One of the three Sentinels that watch Redis, in phase 2.
	Sentinel Limits `key:"sentinel" default:"{memoryMiB: 32, cpus: 0.05}"`
	// PostgreSQL's container, 512 MiB or more.
	Postgres Limits `key:"postgres" default:"{memoryMiB: 2048, cpus: 1, pids: 512}"`
	// Sign-in.
	GoTrue Limits `key:"gotrue" default:"{memoryMiB: 256, cpus: 0.25, pids: 512}"`
	// The git server, from phase 1 on, 256 MiB or more.
	Forgejo Limits `key:"forgejo" default:"{memoryMiB: 512, cpus: 0.5, pids: 512}"`
	// The relay to the other platform during a migration.
	Relay Limits `key:"relay" default:"{memoryMiB: 64, cpus: 0.1, pids: 64}"`
	// The daily backup, from phase 1 on, 64 MiB or more.
	Backup Limits `key:"backup" default:"{memoryMiB: 512, cpus: 0.25}"`
}
