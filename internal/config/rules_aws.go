package config

import (
	"fmt"
	"slices"
	"strings"
)

func (r rules) zones() {
	a := r.AWS
	if r.broken("aws.region", "aws.zones") {
		return
	}
	have := ZonesOf(a.Region)
	if a.Zones > len(have) {
		r.wrong("aws.zones", a.Zones, fmt.Sprintf("is more than %s has", r.d.show("aws.region", a.Region)), fmt.Sprintf("2 to %d there", len(have)), "us-east-1 has six")
		return
	}
	if r.broken("aws.zoneNames") {
		return
	}
	if len(a.ZoneNames) != a.Zones {
		r.wrong("aws.zoneNames", nil, fmt.Sprintf("has %d names", len(a.ZoneNames)), fmt.Sprintf("%d, as aws.zones says", a.Zones), "leave the key out for the first zones of the region")
	}
	for i, z := range a.ZoneNames {
		if !slices.Contains(have, z) {
			r.wrong(fmt.Sprintf("aws.zoneNames[%d]", i), z, "is not in "+r.d.show("aws.region", a.Region), strings.Join(have, ", "), "")
		}
	}
}

// egress refuses a network without internet for things that need it.
func (r rules) egress() {
	a := r.AWS
	if a.NAT != "instance" && r.d.set["aws.natInstanceType"] && !r.broken("aws.nat", "aws.natInstanceType") {
		r.wrong("aws.natInstanceType", a.NATInstanceType, "has no effect", "only with aws.nat: instance", "leave the key out")
	}
	if a.NAT != "none" {
		return
	}
	for _, e := range []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager"} {
		if !slices.Contains(a.InterfaceEndpoints, e) && !r.broken("aws.interfaceEndpoints") {
			r.missing("aws.interfaceEndpoints", e+" is not in the list, and without NAT no task could start", "add "+e+", or choose another aws.nat")
		}
	}
	if r.Backups.Enabled {
		r.wrong("aws.nat", "none", "leaves the daily export no way to Cloudflare R2", "instance, single or per-zone while backups.enabled is true", "instance is the cheapest")
	}
	if r.Auth.SMTP.Host != "" {
		r.wrong("aws.nat", "none", "leaves sign-in no way to the mail server", "instance, single or per-zone while auth.smtp.host is set", "instance is the cheapest")
	}
}

func (r rules) database() {
	db := r.AWS.Database
	others := map[string][]string{"rds": {"minAcu", "maxAcu", "autoPauseSeconds", "readers"},
		"aurora": {"instanceClass", "multiAz", "storageGiB", "maxStorageGiB"}}
	for engine, keys := range others {
		for _, k := range keys {
			if path := "aws.database." + k; db.Engine == engine && r.d.set[path] && !r.broken(path, "aws.database.engine") {
				other := map[string]string{"rds": "aurora", "aurora": "rds"}[engine]
				r.wrong(path, nil, "has no effect with aws.database.engine: "+engine, "only with engine: "+other, "leave the key out, or change the engine")
			}
		}
	}
	if db.Engine == "rds" && !r.broken("aws.database.storageGiB", "aws.database.maxStorageGiB") && db.MaxStorageGiB*10 < db.StorageGiB*11 {
		r.wrong("aws.database.maxStorageGiB", db.MaxStorageGiB, "leaves no room to grow", "a tenth above aws.database.storageGiB, or more", "")
	}
	if db.Engine == "aurora" {
		r.capacityUnits(db)
	}
	if db.BackupRetentionDays < 30 && !r.Disposable && !r.broken("aws.database.backupRetentionDays") {
		r.wrong("aws.database.backupRetentionDays", db.BackupRetentionDays, "is shorter than the promised retention", "30 to 35 days", "only a disposable stack may keep less")
	}
	if !r.broken("aws.database.backupWindow", "aws.database.maintenanceWindow") && windowsMeet(db.BackupWindow, db.MaintenanceWindow) {
		r.wrong("aws.database.backupWindow", db.BackupWindow, "overlaps aws.database.maintenanceWindow", "two windows apart", "AWS refuses such a pair")
	}
}

func (r rules) capacityUnits(db Database) {
	if r.broken("aws.database.minAcu", "aws.database.maxAcu", "aws.database.autoPauseSeconds") {
		return
	}
	if db.MinACU > db.MaxACU {
		r.wrong("aws.database.maxAcu", db.MaxACU, "is less than minAcu", r.d.show("aws.database.minAcu", db.MinACU)+" ACU or more", "")
	}
	switch {
	case db.MinACU > 0 && db.AutoPauseSeconds > 0:
		r.wrong("aws.database.autoPauseSeconds", db.AutoPauseSeconds, "has no effect while minAcu is above 0", "0, or minAcu: 0", "AWS refuses such a pair")
	case db.MinACU == 0 && db.AutoPauseSeconds < 300:
		r.wrong("aws.database.autoPauseSeconds", db.AutoPauseSeconds, "is too short for a database that pauses", "300 to 86400 s with minAcu: 0", "or set minAcu to 0.5")
	case db.MinACU == 0 && r.Phase == 4:
		r.wrong("aws.database.minAcu", db.MinACU, "would pause, which a global database cannot", "0.5 or more in phase 4", "")
	}
}

// windowsMeet says whether a daily and a weekly window have a minute in common.
func windowsMeet(daily, weekly string) bool {
	from, to, _ := strings.Cut(daily, "-")
	a, _ := minutes(from)
	b, _ := minutes(to)
	length := (b - a + 1440) % 1440
	days := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	wFrom, wTo, _ := strings.Cut(weekly, "-")
	at := func(s string) int {
		d, t, _ := strings.Cut(s, ":")
		m, _ := minutes(t)
		return slices.Index(days, d)*1440 + m
	}
	const week = 7 * 1440
	start := at(wFrom)
	span := (at(wTo) - start + week) % week
	for d := range days {
		begin := d*1440 + a
		if (begin-start+week)%week < span || (start-begin+week)%week < length {
			return true
		}
	}
	return false
}

func (r rules) tasks() {
	for _, s := range []struct {
		path string
		Service
	}{{"aws.backend", r.AWS.Backend}, {"aws.gotrue", r.AWS.GoTrue},
		{"aws.forgejo", Service{CPUUnits: r.AWS.Forgejo.CPUUnits, MemoryMiB: r.AWS.Forgejo.MemoryMiB}}} {
		if !fargatePair(s.CPUUnits, s.MemoryMiB) && !r.broken(s.path+".cpuUnits", s.path+".memoryMiB") {
			m := fargateMemory[s.CPUUnits]
			allowed := fmt.Sprintf("%d to %d MiB in steps of %d with %d CPU units", m[0], m[1], m[2], s.CPUUnits)
			if s.CPUUnits == 256 {
				allowed = "512, 1024 or 2048 MiB with 256 CPU units"
			}
			r.wrong(s.path+".memoryMiB", s.MemoryMiB, "makes a pair with cpuUnits that Fargate does not have", allowed, "")
		}
		if a := s.Autoscaling; a.Enabled && a.MaxTasks < s.Tasks && !r.broken(s.path) {
			r.wrong(s.path+".autoscaling.maxTasks", a.MaxTasks, "is less than tasks", r.d.show(s.path+".tasks", s.Tasks)+" or more", "")
		}
	}
}

func (r rules) storage() {
	f := r.AWS.FileSystem
	if f.ArchiveAfterDays <= f.InfrequentAfterDays && !r.broken("aws.fileSystem") {
		r.wrong("aws.fileSystem.archiveAfterDays", f.ArchiveAfterDays, "comes before Infrequent Access", "more than infrequentAfterDays, which is "+r.d.show("aws.fileSystem.infrequentAfterDays", f.InfrequentAfterDays), "")
	}
	if r.AWS.Backups.VaultLock && r.Disposable {
		r.wrong("aws.backups.vaultLock", true, "would outlive a disposable stack", "false in a disposable stack", "")
	}
}

func (r rules) alarms() {
	a := r.Alarms
	if len(a.Emails) == 0 && a.TopicARN == "" && !r.broken("alarms.emails", "alarms.topicArn") {
		r.missing("alarms.emails", "nobody would be told when something is wrong", "list a mail address, or set alarms.topicArn")
	}
	if a.TopicARN == "" || r.broken("alarms.topicArn", "aws.region") {
		return
	}
	parts := strings.Split(a.TopicARN, ":")
	if parts[3] != r.AWS.Region {
		r.wrong("alarms.topicArn", a.TopicARN, "is in another region than the alarms", "a topic in "+r.d.show("aws.region", r.AWS.Region), "")
	}
	if r.AWS.AccountID != "" && parts[4] != r.AWS.AccountID && !r.broken("aws.accountId") {
		r.wrong("alarms.topicArn", a.TopicARN, "is in another account", "a topic in aws.accountId", "")
	}
}
