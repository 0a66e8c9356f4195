package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func TestConfig(t *testing.T) {
	r2 := []any{cloud.Object{"s3": "https://0123abcd.r2.cloudflarestorage.com"}}
	for _, c := range []struct {
		what    string
		config  cloud.Object
		scope   string
		refusal string
	}{
		{"region", cloud.Object{"region": "eu-west-1"}, "eu-west-1", ""},
		{"no region", cloud.Object{}, "", "an explicit region is required"},
		{"misspelt region", cloud.Object{"region": "eu-vest-1"}, "eu-vest-1", "invalid AWS Region: eu-vest-1"},
		{"zone as region", cloud.Object{"region": "eu-west-1a"}, "eu-west-1a", "invalid AWS Region"},
		{"no region but unchecked", cloud.Object{"region": "auto", "skipRegionValidation": true}, "auto", "no such host"},
		{"unknown region", cloud.Object{"region": cloud.Unknown}, "", ""},
		{"own account", cloud.Object{"region": "eu-west-1", "allowedAccountIds": []any{accountID}}, "eu-west-1", ""},
		{"other account", cloud.Object{"region": "eu-west-1", "allowedAccountIds": []any{"210987654321"}}, "eu-west-1", "AWS account ID not allowed"},
		{"forbidden account", cloud.Object{"region": "eu-west-1", "forbiddenAccountIds": []any{accountID}}, "eu-west-1", "AWS account ID not allowed"},
		{"R2", cloud.Object{"region": "auto", "skipRegionValidation": true, "skipCredentialsValidation": true, "skipRequestingAccountId": true, "endpoints": r2}, "r2:0123abcd", ""},
		{"R2 as JSON text", cloud.Object{"region": "us-east-1", "skipCredentialsValidation": true, "skipRequestingAccountId": true, "endpoints": `[{"s3":"https://0123abcd.eu.r2.cloudflarestorage.com"}]`}, "r2:0123abcd", ""},
		{"R2 asked who it is", cloud.Object{"region": "us-east-1", "endpoints": r2}, "r2:0123abcd", "InvalidClientTokenId"},
	} {
		t.Run(strings.ReplaceAll(c.what, " ", "-"), func(t *testing.T) {
			call := &cloud.CheckCall{In: c.config}
			checkConfig(call)
			text := ""
			for _, f := range call.Failures {
				text += f.Reason + "\n"
			}
			if c.refusal == "" && text != "" || !strings.Contains(text, c.refusal) {
				t.Errorf("refused with %q, want %q", text, c.refusal)
			}
			if got := scope(c.config); got != c.scope {
				t.Errorf("scope %q, want %q", got, c.scope)
			}
		})
	}
}

func TestCoreLookups(t *testing.T) {
	s := edgeSim(t, "ap-northeast-1")
	get := func(token string, in props) cloud.Object {
		t.Helper()
		out, err := s.Invoke(token, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := get("aws:index/getCallerIdentity:getCallerIdentity", props{}).String("accountId"); got != "123456789012" {
		t.Errorf("account %s", got)
	}
	if got := get("aws:index/getRegion:getRegion", props{}).String("name"); got != "ap-northeast-1" {
		t.Errorf("region %s", got)
	}
	zones := get("aws:index/getAvailabilityZones:getAvailabilityZones", props{"state": "available", "excludeNames": []string{"ap-northeast-1d"}})
	if got := strings.Join(append(zones.Strings("names"), zones.Strings("zoneIds")...), " "); got != "ap-northeast-1a ap-northeast-1c apne1-az4 apne1-az1" {
		t.Errorf("zones %s", got)
	}
	if got := get("aws:index/getPartition:getPartition", props{}).String("dnsSuffix"); got != "amazonaws.com" {
		t.Errorf("suffix %s", got)
	}
	if got := get("aws:elb/getServiceAccount:getServiceAccount", props{"region": "eu-west-1"}).String("arn"); got != "arn:aws:iam::156460612806:root" {
		t.Errorf("log writer %s", got)
	}
	if got := get("aws:lb/getHostedZoneId:getHostedZoneId", props{"region": "us-east-1"}).String("id"); got != "Z35SXDOTRQ7X7K" {
		t.Errorf("zone %s", got)
	}
	if _, err := s.Invoke("aws:elb/getServiceAccount:getServiceAccount", props{"region": "eu-central-2"}); err == nil {
		t.Error("a newer region has no account that writes logs")
	}
}

func TestPolicyDocument(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	out, err := s.Invoke("aws:iam/getPolicyDocument:getPolicyDocument", props{"statements": []any{
		props{"sid": "Read", "actions": []string{"s3:GetObject", "s3:ListBucket"}, "resources": []string{"arn:aws:s3:::b"},
			"principals": []any{props{"type": "Service", "identifiers": []string{"ecs-tasks.amazonaws.com"}}},
			"conditions": []any{props{"test": "StringEquals", "variable": "aws:SourceAccount", "values": []string{"123456789012"}}}},
		props{"effect": "Deny", "actions": []string{"*"}, "resources": []string{"*"}, "principals": []any{props{"type": "*", "identifiers": []string{"*"}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b",` +
		`"Principal":{"Service":"ecs-tasks.amazonaws.com"},"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}},{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}]}`
	if got := out.String("minifiedJson"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := s.Invoke("aws:iam/getPolicyDocument:getPolicyDocument", props{"statements": []any{props{"sid": "A"}, props{"sid": "A"}}}); err == nil {
		t.Error("a Sid was accepted twice")
	}
}

func TestErrorsSpeakAWS(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	v := s.Must(vpcType, "v", props{"cidrBlock": "10.0.0.0/16"})
	_, err := s.Create(subnetType, "s", props{"vpcId": v.ID, "cidrBlock": "10.1.0.0/24"})
	if err == nil {
		t.Fatal("the subnet was accepted")
	}
	matches(t, "error", err.Error(), `^creating s: operation error EC2: CreateSubnet, https response error StatusCode: 400, RequestID: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}, api error InvalidSubnet\.Range: The CIDR '10\.1\.0\.0/24' is invalid\.$`)
	_, err = s.Create(mountTargetType, "m", props{"fileSystemId": "fs-0123456789abcdef0", "subnetId": "subnet-0"})
	if err == nil {
		t.Fatal("the mount target was accepted")
	}
	matches(t, "error", err.Error(), `operation error EFS: CreateMountTarget, https response error StatusCode: 404, RequestID: \S+, FileSystemNotFound: File system 'fs-0123456789abcdef0' does not exist\.$`)
}

func TestZones(t *testing.T) {
	for region, r := range regions {
		zones := zoneNames(region)
		if len(zones) < 2 {
			t.Errorf("%s has %d zones", region, len(zones))
		}
		seen := map[string]bool{}
		for _, z := range zones {
			id := zoneID(z)
			if !strings.HasPrefix(id, r.short+"-az") || seen[id] || zoneOfID(region, id) != z {
				t.Errorf("zone %s has id %q", z, id)
			}
			seen[id] = true
		}
		if r.alb == "" || r.nlb == "" || r.name == "" {
			t.Errorf("%s lacks a hosted zone or name", region)
		}
	}
	if zoneID("us-east-1f") != "use1-az6" || zoneID("eu-west-1d") != "" {
		t.Error("zone ids are wrong")
	}
}

func TestDurationsAreKnownForWhatTakesLong(t *testing.T) {
	for _, typ := range platformTypes() {
		if typ.Takes.Create == 0 {
			switch typ.Token {
			case defaultGroupType, endpointRouteType, launchTemplateType, listenerCertificateType, attachmentType,
				efsBackupType, fileSystemPolicy, cacheParametersType, proxyDefaultType, proxyTargetType:
			default:
				t.Errorf("%s gives no duration", typ.Token)
			}
		}
	}
}
