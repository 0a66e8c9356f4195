package aws

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

var (
	userPattern     = regexp.MustCompile(`^[0-9]+:[0-9]+$`)
	variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// secretVariable are names that only ever hold a secret; those that name a file do not match.
	secretVariable = regexp.MustCompile(`(?i)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)$`)
	latestImage    = regexp.MustCompile(`(:latest|^[^:@]+|/[^:@/]+)$`)
)

func (a *EcsServiceArgs) validate(name string) error {
	p := base.Check("EcsService", name)
	p.Require(shortName.MatchString(name), "name", name, "lower case letters, digits and single hyphens", "")
	p.Require(a.Cluster != nil, "Cluster", "nothing", "the cluster to run in", "")
	p.Require(regionPattern.MatchString(a.Region), "Region", a.Region, "an AWS region such as eu-central-1", "")
	p.Require(a.AccountID != nil, "AccountID", "nothing", "the account's 12 digits", "")
	p.Require(a.VpcID != nil, "VpcID", "nothing", "the VPC of the private subnets", "")
	p.Require(a.SubnetIDs != nil, "SubnetIDs", "nothing", "private subnets", "")
	p.Require(a.LogKmsKeyArn != nil, "LogKmsKeyArn", "nothing", "the ARN of a customer KMS key", "")
	if err := FargatePair(a.CPUUnits, a.MemoryMiB); err != nil {
		p.Add("CPUUnits and MemoryMiB", fmt.Sprintf("%d and %d", a.CPUUnits, a.MemoryMiB), err.Error(), "")
	}
	p.Require(a.EphemeralGiB == 0 || a.EphemeralGiB >= 21 && a.EphemeralGiB <= 200, "EphemeralGiB", a.EphemeralGiB, "21 to 200, or 0 for Fargate's own 20", "")
	requireRetention(p, "LogRetentionDays", a.LogRetentionDays)
	p.Require(a.DeployMinutes >= 5 && a.DeployMinutes <= 120, "DeployMinutes", a.DeployMinutes, "5 to 120", "")
	p.Require(a.OnDemandWeight >= 0 && a.OnDemandWeight <= 1000, "OnDemandWeight", a.OnDemandWeight, "0 to 1000", "")
	p.Require(a.SpotWeight >= 0 && a.SpotWeight <= 1000, "SpotWeight", a.SpotWeight, "0 to 1000", "")
	p.Require(a.OnDemandBase >= 0 && a.OnDemandBase <= 1000, "OnDemandBase", a.OnDemandBase, "0 to 1000", "")
	p.Require(!a.Exec || a.Cluster == nil || a.Cluster.execLogs, "Exec", true, "a cluster with ExecLogs, so that what is typed is kept", "")
	p.Require(a.DiscoveryName == "" || a.Cluster == nil || a.Cluster.Namespace != "", "DiscoveryName", a.DiscoveryName, "a cluster with a Namespace", "")
	p.Require(a.DiscoveryName == "" || shortName.MatchString(a.DiscoveryName), "DiscoveryName", a.DiscoveryName, "lower case letters, digits and single hyphens", "")
	a.validateCounts(p)
	a.validateContainers(p)
	a.validateConnections(p)
	return p.Err()
}

func (a *EcsServiceArgs) validateCounts(p *base.Problems) {
	p.Require(*a.DesiredCount >= 0 && *a.DesiredCount <= 1000, "DesiredCount", *a.DesiredCount, "0 to 1000", "")
	if a.SingleWriter {
		p.Require(*a.DesiredCount <= 1, "DesiredCount", *a.DesiredCount, "0 or 1 with SingleWriter", "")
		p.Require(a.Scaling == nil, "Scaling", "some", "none with SingleWriter", "")
		p.Require(*a.MinHealthyPercent == 0 && *a.MaxPercent == 100, "MinHealthyPercent and MaxPercent", fmt.Sprintf("%d and %d", *a.MinHealthyPercent, *a.MaxPercent), "0 and 100 with SingleWriter", "")
	}
	p.Require(*a.MinHealthyPercent >= 0 && *a.MinHealthyPercent <= 100, "MinHealthyPercent", *a.MinHealthyPercent, "0 to 100", "")
	p.Require(*a.MaxPercent >= 100 && *a.MaxPercent <= 200, "MaxPercent", *a.MaxPercent, "100 to 200", "")
	p.Require(*a.MinHealthyPercent < *a.MaxPercent, "MinHealthyPercent", *a.MinHealthyPercent, "less than MaxPercent, or no deployment could ever begin", "")
	s := a.Scaling
	if s == nil {
		return
	}
	if s.stopped() {
		p.Require(*a.DesiredCount == 0, "DesiredCount", *a.DesiredCount, "0 with Scaling to 0 tasks", "")
		return
	}
	p.Require(s.MinTasks >= 1 && s.MinTasks <= s.MaxTasks && s.MaxTasks <= 1000, "Scaling", fmt.Sprintf("%d to %d tasks", s.MinTasks, s.MaxTasks), "1 or more, and the maximum not below the minimum", "")
	p.Require(s.CPUPercent+s.MemoryPercent+s.RequestsPerTask > 0, "Scaling", "no target", "at least one of CPUPercent, MemoryPercent and RequestsPerTask", "")
	p.Require(s.CPUPercent == 0 || s.CPUPercent >= 10 && s.CPUPercent <= 95, "Scaling.CPUPercent", s.CPUPercent, "10 to 95, or 0 for off", "")
	p.Require(s.MemoryPercent == 0 || s.MemoryPercent >= 10 && s.MemoryPercent <= 95, "Scaling.MemoryPercent", s.MemoryPercent, "10 to 95, or 0 for off", "")
	p.Require(s.RequestsPerTask >= 0, "Scaling.RequestsPerTask", s.RequestsPerTask, "0 or more", "")
	p.Require(s.RequestsPerTask == 0 || a.requestTarget() != nil, "Scaling.RequestsPerTask", s.RequestsPerTask, "a target of an application load balancer", "")
}

func (a *EcsServiceArgs) validateContainers(p *base.Problems) {
	volumes, names, ports := map[string]bool{}, map[string]Container{}, map[int]string{}
	for _, v := range a.Volumes {
		p.Require(shortName.MatchString(v.Name) && !volumes[v.Name], "Volumes", v.Name, "a name of its own in lower case letters, digits and single hyphens", "")
		p.Require(v.FileSystemID != nil && v.FileSystemArn != nil && v.AccessPointID != nil && v.AccessPointArn != nil, "Volumes."+v.Name, "an id or ARN missing", "the file system and the access point", "")
		volumes[v.Name] = true
	}
	for _, v := range a.SharedScratch {
		p.Require(shortName.MatchString(v) && !volumes[v], "SharedScratch", v, "a name of its own in lower case letters, digits and single hyphens", "")
		volumes[v] = true
	}
	essential, memory, cpu := 0, 0, 0
	for _, c := range a.Containers {
		_, twice := names[c.Name]
		p.Require(shortName.MatchString(c.Name) && !twice, "Containers", c.Name, "a name of its own in lower case letters, digits and single hyphens", "")
		names[c.Name] = c
		if !c.Init && !c.Optional {
			essential++
		}
		for _, port := range c.Ports {
			p.Require(port >= 1 && port <= 65535 && ports[port] == "", c.Name+".Ports", port, "1 to 65535, each once in the task", "")
			ports[port] = c.Name
		}
		memory, cpu = memory+c.MemoryMiB, cpu+c.CPUUnits
		c.validate(p, volumes)
	}
	all := len(withScratch(a.Containers))
	p.Require(all <= 10, "Containers", fmt.Sprintf("%d with those for scratch directories", all), "at most 10 in a task", "")
	p.Require(essential > 0, "Containers", "none that is essential", "at least one that is neither Init nor Optional", "")
	p.Require(memory <= a.MemoryMiB, "Containers", fmt.Sprintf("%d MiB together", memory), fmt.Sprintf("at most the task's %d", a.MemoryMiB), "")
	p.Require(cpu <= a.CPUUnits, "Containers", fmt.Sprintf("%d CPU units together", cpu), fmt.Sprintf("at most the task's %d", a.CPUUnits), "")
	for _, c := range a.Containers {
		for _, other := range c.After {
			o, known := names[other]
			p.Require(known && other != c.Name && !o.Init && !c.Init, c.Name+".After", other, "another container, neither of them Init", "")
		}
	}
	for i, l := range a.LoadBalancers {
		field := fmt.Sprintf("LoadBalancers.%d", i)
		if p.Require(l.Target != nil, field, "nothing", "a target of a load balancer", ""); l.Target == nil {
			continue
		}
		p.Require(ports[l.Target.Port] == l.Container && l.Container != "", field, fmt.Sprintf("container %q and port %d", l.Container, l.Target.Port), "a container that listens on the target's port", "")
	}
}

func (c Container) validate(p *base.Problems, volumes map[string]bool) {
	p.Require(c.Image != nil, c.Name+".Image", "nothing", "an image with a tag or digest", "")
	if image, plain := c.Image.(pulumi.String); plain {
		p.Require(image != "" && !latestImage.MatchString(string(image)), c.Name+".Image", image, "an image with a tag other than latest, or a digest", "")
	}
	root := strings.HasPrefix(c.User, "0:") || strings.HasSuffix(c.User, ":0")
	p.Require(userPattern.MatchString(c.User), c.Name+".User", c.User, "uid:gid in numbers, such as 1000:1000", "")
	p.Require(!root || c.RootReason != "", c.Name+".User", c.User, "a user and group other than root, or RootReason", "")
	p.Require(c.StopSeconds >= 0 && c.StopSeconds <= 120, c.Name+".StopSeconds", c.StopSeconds, "1 to 120, or 0 for 30", "")
	p.Require(!c.Init || c.Health == nil, c.Name+".Health", "some", "none for an Init container", "")
	p.Require(c.CPUUnits >= 0 && c.MemoryMiB >= 0, c.Name, fmt.Sprintf("%d CPU units, %d MiB", c.CPUUnits, c.MemoryMiB), "0 or more", "")
	for _, path := range c.Scratch {
		p.Require(strings.HasPrefix(path, "/") && path != "/", c.Name+".Scratch", path, "an absolute path below /", "")
	}
	for _, m := range c.Mounts {
		p.Require(volumes[m.Volume], c.Name+".Mounts", m.Volume, "a volume of the service", "")
		p.Require(strings.HasPrefix(m.Path, "/") && m.Path != "/", c.Name+".Mounts", m.Path, "an absolute path below /", "")
	}
	for _, k := range slices.Sorted(maps.Keys(c.Environment)) {
		p.Require(variablePattern.MatchString(k), c.Name+".Environment", k, "the name of a variable", "")
		p.Require(!secretVariable.MatchString(k), c.Name+".Environment", k, "a variable that is not a secret (its value is not shown here): hand it over in Secrets", "")
		p.Require(c.Environment[k] != nil, c.Name+".Environment."+k, "nothing", "a value", "")
		_, both := c.Secrets[k]
		p.Require(!both, c.Name+".Environment", k, "a variable that is not among Secrets too", "")
	}
	for _, k := range slices.Sorted(maps.Keys(c.Secrets)) {
		p.Require(variablePattern.MatchString(k), c.Name+".Secrets", k, "the name of a variable", "")
		p.Require(c.Secrets[k].Arn != nil, c.Name+".Secrets."+k, "nothing", "the ARN of a secret", "")
	}
	if h := c.Health; h != nil {
		p.Require(len(h.Command) >= 2 && (h.Command[0] == "CMD" || h.Command[0] == "CMD-SHELL"), c.Name+".Health.Command", h.Command, "CMD or CMD-SHELL and a command", "")
		p.Require(h.IntervalSeconds == 0 || h.IntervalSeconds >= 5 && h.IntervalSeconds <= 300, c.Name+".Health.IntervalSeconds", h.IntervalSeconds, "5 to 300", "")
		p.Require(h.TimeoutSeconds == 0 || h.TimeoutSeconds >= 2 && h.TimeoutSeconds <= 60, c.Name+".Health.TimeoutSeconds", h.TimeoutSeconds, "2 to 60", "")
		p.Require(h.Retries >= 0 && h.Retries <= 10, c.Name+".Health.Retries", h.Retries, "1 to 10", "")
		p.Require(h.StartSeconds >= 0 && h.StartSeconds <= 300, c.Name+".Health.StartSeconds", h.StartSeconds, "0 to 300", "")
	}
}

func (a *EcsServiceArgs) validateConnections(p *base.Problems) {
	seen := map[string]bool{}
	for _, c := range a.Connections {
		p.Require(shortName.MatchString(c.Name) && !seen[c.Name], "Connections", c.Name, "a name of its own in lower case letters, digits and single hyphens", "")
		p.Require(c.SecurityGroupID != nil, "Connections."+c.Name, "nothing", "the security group of the other side", "")
		p.Require(c.Port >= 1 && c.Port <= 65535, "Connections."+c.Name+".Port", c.Port, "1 to 65535", "")
		seen[c.Name] = true
	}
	out := map[int]bool{}
	for _, port := range a.InternetPorts {
		p.Require(port >= 1 && port <= 65535 && !out[port], "InternetPorts", port, "1 to 65535, each once", "")
		out[port] = true
	}
}
