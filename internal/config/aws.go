package config

// AWS is the platform of phases 3 and 4.
type AWS struct {
	// Region of everything that is not global.
	Region string `key:"region" default:"eu-west-1" format:"aws-region" replaces:"everything on AWS, refused while it holds data"`
	// Account that the stack must be in; a deployment with other credentials is refused.
	AccountID string `key:"accountId" format:"aws-account" example:"'123456789012'"`
	// How many availability zones the network spans. Adding one moves nothing.
	Zones int `key:"zones" default:"2" min:"2" max:"6"`
	// Names of the zones, in the order they were added; only ever append.
	ZoneNames []string `key:"zoneNames" derived:"the first zones of the region" max:"6" format:"aws-zone" replaces:"the subnets of a zone that is renamed or moved in the list" example:"[eu-west-1a, eu-west-1b]"`
	// The region's place in the address plan: its network is 10.(64+n).0.0/16. Regions that are to
	// talk to each other need one each.
	RegionIndex int `key:"regionIndex" default:"0" min:"0" max:"63" replaces:"the network and everything in it"`
	// How private subnets reach the internet: not at all, through one small instance (cheapest),
	// through one NAT gateway, or through one per zone (no shared point of failure).
	NAT string `key:"nat" default:"single" enum:"none|instance|single|per-zone"`
	// Instance type when nat is instance.
	NATInstanceType string `key:"natInstanceType" default:"t4g.nano" enum:"t4g.nano|t4g.micro|t4g.small|t4g.medium"`
	// AWS services reached without the internet, each at a price per zone. S3 always is, for free.
	InterfaceEndpoints []string `key:"interfaceEndpoints" max:"20" enum:"ecr.api|ecr.dkr|ecs|ecs-agent|ecs-telemetry|elasticfilesystem|kms|logs|monitoring|secretsmanager|sns|ssm|ssmmessages|sts" example:"[ecr.api, ecr.dkr, logs, secretsmanager]"`
	// How long the network's flow logs are kept.
	FlowLogRetentionDays int `key:"flowLogRetentionDays" default:"30" unit:"days" format:"log-retention"`
	// How long the services' logs are kept.
	LogRetentionDays int `key:"logRetentionDays" default:"30" unit:"days" format:"log-retention"`
	// Name of the zone delegated to Route 53, for records with weights and health checks.
	SubZone string `key:"subZone" derived:"aws. and the domain" format:"hostname" replaces:"the delegated zone and its records"`

	// Further regions, phase 4. A region is added by adding an entry, and taken away by its state:
	// retiring, then retired. Without that, taking its entry away is refused.
	Regions []AWSRegion `key:"regions" max:"10"`
	// The one region that writes: its database cluster is the writer, and sign-in and the git server
	// run there. Changing it is one step of a runbook, ops/runbooks/switch-write-primary.md.
	WritePrimary string `key:"writePrimary" derived:"aws.region" format:"aws-region"`
	// Whether nothing may be written anywhere for the moment, while the write primary moves.
	FreezeWrites bool `key:"freezeWrites" default:"false"`
	// Public name of the API in the write primary, which the other regions send writes to.
	PrimaryHost string `key:"primaryHost" derived:"api-primary. and the domain" format:"hostname" replaces:"the certificates of the load balancers, the new ones first"`
	// The region that the files are replicated to, or of the write primary's when it is itself that
	// one, the region they come back to. EFS replicates to one region; the rest have no copy.
	FileReplica string `key:"fileReplica" derived:"the first of aws.regions that is not retired" format:"aws-region" replaces:"the replication, refused while the replica holds the only copy; with datasync refused while the copy is protected"`
	// Who copies the files to aws.fileReplica. efs follows every change within minutes, and makes a copy
	// that can only be read. datasync copies every few hours, by a task, to a file system of the
	// stack's own.
	FileReplication string `key:"fileReplication" default:"efs" enum:"efs|datasync" replaces:"the copy that is used: from efs to datasync another is begun, empty until its first run, and the one before stays in the account; back is refused while the copy is protected"`
	// How often DataSync copies: what was written since its last run is in the write primary alone.
	// DataSync runs a task once an hour at most.
	FileSyncHours int `key:"fileSyncHours" default:"1" unit:"h" min:"1" max:"24"`
	// Id of the replica in aws.region that took over as its file system, after the write primary
	// came back to it.
	FileSystemID string `key:"fileSystemId" format:"file-system" example:"fs-0123456789abcdef0"`

	// The public load balancer.
	LoadBalancer LoadBalancer `key:"loadBalancer"`
	// The PostgreSQL database.
	Database Database `key:"database"`
	// The backend's tasks.
	Backend Service `key:"backend" default:"{tasks: 2, cpuUnits: 512, memoryMiB: 1024}"`
	// The sign-in service's tasks.
	GoTrue Service `key:"gotrue" default:"{tasks: 1, cpuUnits: 256, memoryMiB: 512}"`
	// The git server's task. There is exactly one: two writers damage its queue.
	Forgejo ForgejoTask `key:"forgejo"`
	// The file system of the git repositories.
	FileSystem FileSystem `key:"fileSystem"`
	// Redis.
	Cache Cache `key:"cache"`
	// The web application's distribution.
	CDN CDN `key:"cdn"`
	// The container registry.
	Registry ECR `key:"registry"`
	// AWS's own backups, next to the daily export to R2.
	Backups AWSBackups `key:"backups"`
}

// AWSRegion is one more region of phase 4. What is not here is as in the first region.
type AWSRegion struct {
	// Name of the region.
	Name string `key:"name" required:"always" format:"aws-region" replaces:"everything in the region, refused while it is protected" example:"us-east-1"`
	// The region's place in the address plan, its own for ever: 10.(64+n).0.0/16.
	Index int `key:"index" required:"always" min:"0" max:"63" replaces:"the region's network and everything in it" example:"1"`
	// How many availability zones the region's network spans.
	Zones int `key:"zones" default:"2" min:"2" max:"6"`
	// How private subnets reach the internet.
	NAT string `key:"nat" default:"single" enum:"instance|single|per-zone"`
	// The backend's tasks; the least when autoscaling is on.
	BackendTasks int `key:"backendTasks" default:"2" min:"1" max:"100"`
	// Aurora instances of the region.
	DatabaseInstances int `key:"databaseInstances" default:"1" min:"1" max:"15"`
	// Redis nodes next to the region's primary one.
	CacheReplicas int `key:"cacheReplicas" default:"0" min:"0" max:"5"`
	// Id of the file system's replica in the region, once it has taken over: from then on it is
	// written to, and replicated from.
	FileSystemID string `key:"fileSystemId" format:"file-system" example:"fs-0123456789abcdef0"`
	// retiring takes the region's traffic and protection away, and confirms that its copies of the data
	// may go; retired then takes it away. A retired region keeps its place in the address plan and its
	// copy of the shared key, so that it can become active again at any time; for 30 days after an
	// entry is left out, or the stack was destroyed with a retired one, its region cannot come back.
	State string `key:"state" default:"active" enum:"active|retiring|retired"`
}

// Active are the further regions that are not retired.
func (a AWS) Active() []AWSRegion {
	var out []AWSRegion
	for _, g := range a.Regions {
		if g.State != StateRetired {
			out = append(out, g)
		}
	}
	return out
}

// FileReplicationDataSync is the value of aws.fileReplication with which DataSync copies the files.
const FileReplicationDataSync = "datasync"

// DataSync says whether the files are copied by DataSync instead of by EFS.
func (a AWS) DataSync() bool { return a.FileReplication == FileReplicationDataSync }

// LoadBalancer is the public entrance.
type LoadBalancer struct {
	// How long a WebSocket may be silent.
	IdleTimeoutSeconds int `key:"idleTimeoutSeconds" default:"3600" unit:"s" min:"60" max:"4000"`
	// How long access logs are kept.
	AccessLogRetentionDays int `key:"accessLogRetentionDays" default:"90" unit:"days" min:"1" max:"3650"`
	// How long a task may finish its requests before it is stopped.
	DrainSeconds int `key:"drainSeconds" default:"60" unit:"s" min:"0" max:"3600"`
}

// Database is PostgreSQL 15 on RDS, or on Aurora Serverless v2.
type Database struct {
	// RDS for predictable load, Aurora to scale by itself and have readers. Changing it on a
	// stack with data is a migration.
	Engine string `key:"engine" default:"rds" enum:"rds|aurora" replaces:"the database, refused while it holds data"`
	// PostgreSQL version: 15, or a pinned minor such as 15.8. A new database gets AWS's newest minor with
	// 15, and AWS keeps that current in the maintenance window. In phase 4 AWS upgrades nothing by itself,
	// and refuses a deployment that does: ops/runbooks/upgrade-database.md. A region that is added then gets
	// what the first one runs, whatever is said here.
	EngineVersion string `key:"engineVersion" default:"'15'" format:"postgres15" example:"'15.8'"`
	// Size of the RDS instance.
	InstanceClass string `key:"instanceClass" default:"db.t4g.small" format:"db-class"`
	// Whether RDS keeps a standby in a second zone. Aurora has one as soon as it has a reader.
	MultiAZ bool `key:"multiAz" default:"false"`
	// Disk that RDS starts with. It only grows.
	StorageGiB int `key:"storageGiB" default:"20" unit:"GiB" min:"20" max:"65536"`
	// How far RDS may grow the disk by itself.
	MaxStorageGiB int `key:"maxStorageGiB" default:"100" unit:"GiB" min:"20" max:"65536"`
	// Least capacity of Aurora; 0 lets it pause.
	MinACU float64 `key:"minAcu" default:"0.5" unit:"ACU" min:"0" max:"256" step:"0.5"`
	// Most capacity of Aurora.
	MaxACU float64 `key:"maxAcu" default:"4" unit:"ACU" min:"1" max:"256" step:"0.5"`
	// How long Aurora is idle before it pauses, with minAcu 0; 0 means never.
	AutoPauseSeconds int `key:"autoPauseSeconds" default:"0" unit:"s" min:"0" max:"86400"`
	// Aurora instances next to the writer.
	Readers int `key:"readers" default:"0" min:"0" max:"15"`
	// How long automatic backups are kept.
	BackupRetentionDays int `key:"backupRetentionDays" default:"30" unit:"days" min:"1" max:"35"`
	// Snapshot to start from. Only read when the database is first made.
	RestoreFromSnapshot string `key:"restoreFromSnapshot" format:"snapshot" replaces:"nothing: it is read when the database is first made" example:"morphee-prod-2026-02-20"`
	// Name of the product's database.
	Name string `key:"name" default:"morphee" format:"postgres-name" replaces:"the database, refused while it holds data"`
	// Daily window for backups, in UTC.
	BackupWindow string `key:"backupWindow" default:"02:00-02:45" format:"window"`
	// Weekly window for maintenance, in UTC.
	MaintenanceWindow string `key:"maintenanceWindow" default:"sun:04:30-sun:05:30" format:"weekly-window"`
	// Whether changes that restart the database are made at once, not in the next window.
	ApplyImmediately bool `key:"applyImmediately" default:"false"`
}

// Service is an ECS service on Fargate, ARM64.
type Service struct {
	// How many tasks run; the least when autoscaling is on.
	Tasks int `key:"tasks" min:"1" max:"100"`
	// Processor of one task; 1024 is one core. Only certain pairs with memoryMiB exist.
	CPUUnits int `key:"cpuUnits" unit:"1/1024 core" enum:"256|512|1024|2048|4096|8192|16384"`
	// Memory of one task.
	MemoryMiB int `key:"memoryMiB" unit:"MiB" min:"512" max:"122880"`
	// Adding and removing tasks with the load.
	Autoscaling Autoscaling `key:"autoscaling"`
	// Share of the tasks above the first that run on spare capacity, cheaper and interruptible.
	SpotWeight int `key:"spotWeight" default:"0" unit:"%" min:"0" max:"100"`
	// Whether people may open a shell in a task (ECS Exec).
	Exec bool `key:"exec" default:"false"`
}

// Autoscaling adds and removes tasks.
type Autoscaling struct {
	// Whether it is on.
	Enabled bool `key:"enabled" default:"false"`
	// Most tasks.
	MaxTasks int `key:"maxTasks" default:"6" min:"1" max:"500"`
	// Processor use to aim for.
	CPUPercent int `key:"cpuPercent" default:"60" unit:"%" min:"10" max:"90"`
	// Memory use to aim for.
	MemoryPercent int `key:"memoryPercent" default:"75" unit:"%" min:"10" max:"90"`
	// Requests a minute and task to aim for; 0 does not look at requests.
	RequestsPerMinute int `key:"requestsPerMinute" default:"0" unit:"requests/min" min:"0" max:"1000000"`
}

// ForgejoTask is the git server's one task.
type ForgejoTask struct {
	// Processor of the task.
	CPUUnits int `key:"cpuUnits" default:"512" unit:"1/1024 core" enum:"256|512|1024|2048|4096|8192|16384"`
	// Memory of the task.
	MemoryMiB int `key:"memoryMiB" default:"1024" unit:"MiB" min:"512" max:"122880"`
	// Whether git over SSH is offered on port 22, through a network load balancer of its own.
	SSHLoadBalancer bool `key:"sshLoadBalancer" default:"false"`
	// IPv4 address ranges that may use git over SSH.
	SSHAllowedSources []string `key:"sshAllowedSources" default:"['0.0.0.0/0']" max:"50" format:"cidr4"`
	// Whether people may open a shell in the task (ECS Exec).
	Exec bool `key:"exec" default:"false"`
}

// FileSystem is the EFS of the git repositories.
type FileSystem struct {
	// Days without access until a file moves to Infrequent Access.
	InfrequentAfterDays int `key:"infrequentAfterDays" default:"30" unit:"days" enum:"1|7|14|30|60|90|180|270|365"`
	// Days without access until a file moves to Archive.
	ArchiveAfterDays int `key:"archiveAfterDays" default:"90" unit:"days" enum:"1|7|14|30|60|90|180|270|365"`
}

// Cache is ElastiCache for Redis.
type Cache struct {
	// Size of a node.
	NodeType string `key:"nodeType" default:"cache.t4g.micro" format:"cache-type"`
	// Nodes next to the primary, each in another zone; with one or more it fails over by itself.
	Replicas int `key:"replicas" default:"0" min:"0" max:"5"`
	// Redis version.
	EngineVersion string `key:"engineVersion" default:"'7.1'" enum:"7.0|7.1"`
	// Weekly window for maintenance, in UTC.
	MaintenanceWindow string `key:"maintenanceWindow" default:"sun:05:30-sun:06:30" format:"weekly-window"`
}

// CDN is CloudFront in front of the web application.
type CDN struct {
	// Which edges serve: 100 is North America and Europe, 200 adds Asia and Africa, All is all.
	PriceClass string `key:"priceClass" default:"PriceClass_100" enum:"PriceClass_100|PriceClass_200|PriceClass_All"`
	// How long access logs are kept.
	LogRetentionDays int `key:"logRetentionDays" default:"90" unit:"days" min:"1" max:"3650"`
	// How long old versions of the site's files are kept, for going back.
	VersionRetentionDays int `key:"versionRetentionDays" default:"30" unit:"days" min:"1" max:"365"`
}

// ECR is the container registry.
type ECR struct {
	// How many images of each repository are kept.
	KeepImages int `key:"keepImages" default:"30" unit:"images" min:"5" max:"1000"`
	// Public registries whose images come through ECR's cache, for tasks without internet.
	PullThrough []string `key:"pullThrough" max:"3" enum:"public.ecr.aws|quay.io|registry.k8s.io" example:"[public.ecr.aws]"`
}

// AWSBackups is the AWS Backup plan for the file system and the database.
type AWSBackups struct {
	// How long recovery points of the database are kept.
	DatabaseDays int `key:"databaseDays" default:"30" unit:"days" min:"1" max:"3650"`
	// How long recovery points of the file system are kept.
	FilesDays int `key:"filesDays" default:"14" unit:"days" min:"1" max:"3650"`
	// Whether the vault is locked, so that nobody can delete recovery points early.
	VaultLock bool `key:"vaultLock" default:"false"`
}
