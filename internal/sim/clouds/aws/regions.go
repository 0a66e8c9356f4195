package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// region is what is fixed about an AWS region. Letters and ids of zones are those of one account:
// AWS shuffles the mapping per account, the simulator's account has the plain one.
type region struct {
	short   string // prefix of the zone ids
	zones   string // zone letters, in the order of ids
	ids     []int  // zone numbers where they are not 1, 2, 3, …
	name    string
	alb     string // hosted zone of application load balancers
	nlb     string // hosted zone of network load balancers
	s3List  string // prefix list of S3
	elbUser string // account that writes load balancer logs; "" in the newer regions
}

var regions = map[string]*region{
	"us-east-1":      {short: "use1", zones: "abcdef", name: "US East (N. Virginia)", alb: "Z35SXDOTRQ7X7K", nlb: "Z26RNL4JYFTOTI", s3List: "pl-63a5400a", elbUser: "127311923021"},
	"us-east-2":      {short: "use2", zones: "abc", name: "US East (Ohio)", alb: "Z3AADJGX6KTTL2", nlb: "ZLMOA37VPKANP", s3List: "pl-7ba54012", elbUser: "033677994240"},
	"us-west-1":      {short: "usw1", zones: "ac", ids: []int{1, 3}, name: "US West (N. California)", alb: "Z368ELLRRE2KJ0", nlb: "Z24FKFUX50B4VW", s3List: "pl-6ba54002", elbUser: "027434742980"},
	"us-west-2":      {short: "usw2", zones: "abcd", name: "US West (Oregon)", alb: "Z1H1FL5HABSF5", nlb: "Z18D5FSROUN65G", s3List: "pl-68a54001", elbUser: "797873946194"},
	"ca-central-1":   {short: "cac1", zones: "abd", ids: []int{1, 2, 4}, name: "Canada (Central)", alb: "ZQSVJUPU6J1EY", nlb: "Z2EPGBW3API2WT", s3List: "pl-7da54014", elbUser: "985666609251"},
	"ca-west-1":      {short: "caw1", zones: "abc", name: "Canada West (Calgary)", alb: "Z06473681N0SF6OS049SD", nlb: "Z02754302KBB00W2LKWZ9"},
	"eu-west-1":      {short: "euw1", zones: "abc", name: "Europe (Ireland)", alb: "Z32O12XQLNTSW2", nlb: "Z2IFOLAFXWLO4F", s3List: "pl-6da54004", elbUser: "156460612806"},
	"eu-west-2":      {short: "euw2", zones: "abc", name: "Europe (London)", alb: "ZHURV8PSTC4K8", nlb: "ZD4D7Y8KGAS4G", s3List: "pl-7ca54015", elbUser: "652711504416"},
	"eu-west-3":      {short: "euw3", zones: "abc", name: "Europe (Paris)", alb: "Z3Q77PNBQS71R4", nlb: "Z1CMS0P5QUZ6D5", s3List: "pl-23ad484a", elbUser: "009996457667"},
	"eu-central-1":   {short: "euc1", zones: "abc", name: "Europe (Frankfurt)", alb: "Z215JYRZR1TBD5", nlb: "Z3F0SRJ5LGBH90", s3List: "pl-6ea54007", elbUser: "054676820928"},
	"eu-central-2":   {short: "euc2", zones: "abc", name: "Europe (Zurich)", alb: "Z06391101F2ZOEP8P5EB3", nlb: "Z02239872DOALSIDCX66S"},
	"eu-north-1":     {short: "eun1", zones: "abc", name: "Europe (Stockholm)", alb: "Z23TAZ6LKFMNIO", nlb: "Z1UDT6IFJ4EJM", s3List: "pl-c3aa4faa", elbUser: "897822967062"},
	"eu-south-1":     {short: "eus1", zones: "abc", name: "Europe (Milan)", alb: "Z3ULH7SSC9OV64", nlb: "Z23146JA1KNAFP", elbUser: "635631232127"},
	"eu-south-2":     {short: "eus2", zones: "abc", name: "Europe (Spain)", alb: "Z0956581394HF5D5LXGAP", nlb: "Z1011216NVTVYADP1SSV"},
	"ap-south-1":     {short: "aps1", zones: "abc", ids: []int{1, 3, 2}, name: "Asia Pacific (Mumbai)", alb: "ZP97RAFLXTNZK", nlb: "ZVDDRBQ08TROA", s3List: "pl-78a54011", elbUser: "718504428378"},
	"ap-south-2":     {short: "aps2", zones: "abc", name: "Asia Pacific (Hyderabad)", alb: "Z0173938T07WNTVAEPZN", nlb: "Z0711778386UTO08407HT"},
	"ap-southeast-1": {short: "apse1", zones: "abc", name: "Asia Pacific (Singapore)", alb: "Z1LMS91P8CMLE5", nlb: "ZKVM4W9LS7TM", s3List: "pl-6fa54006", elbUser: "114774131450"},
	"ap-southeast-2": {short: "apse2", zones: "abc", name: "Asia Pacific (Sydney)", alb: "Z1GM3OXH4ZPM65", nlb: "ZCT6FZBF4DROD", s3List: "pl-6ca54005", elbUser: "783225319266"},
	"ap-southeast-3": {short: "apse3", zones: "abc", name: "Asia Pacific (Jakarta)", alb: "Z08888821HLRG5A9ZRTER", nlb: "Z01971771FYVNCOVWJU1G", elbUser: "589379963580"},
	"ap-southeast-4": {short: "apse4", zones: "abc", name: "Asia Pacific (Melbourne)", alb: "Z09517862IB2WZLPXG76F", nlb: "Z01156963G8MIIL7X90IV"},
	"ap-southeast-5": {short: "apse5", zones: "abc", name: "Asia Pacific (Malaysia)", alb: "Z06010284QMVVW7WO5J", nlb: "Z026317210H9ACVTRO6FB"},
	"ap-southeast-7": {short: "apse7", zones: "abc", name: "Asia Pacific (Thailand)", alb: "Z0390008CMBRTHFGWBCB", nlb: "Z054363131YWATEMWRG5L"},
	"ap-northeast-1": {short: "apne1", zones: "acd", ids: []int{4, 1, 2}, name: "Asia Pacific (Tokyo)", alb: "Z14GRHDCWA56QT", nlb: "Z31USIVHYNEOWT", s3List: "pl-61a54008", elbUser: "582318560864"},
	"ap-northeast-2": {short: "apne2", zones: "abcd", name: "Asia Pacific (Seoul)", alb: "ZWKZPGTI48KDX", nlb: "ZIBE1TIR4HY56", s3List: "pl-78a54011", elbUser: "600734575887"},
	"ap-northeast-3": {short: "apne3", zones: "abc", name: "Asia Pacific (Osaka)", alb: "Z5LXEXXYW11ES", nlb: "Z1GWIQ4HH19I5X", s3List: "pl-a4a540cd", elbUser: "383597477331"},
	"ap-east-1":      {short: "ape1", zones: "abc", name: "Asia Pacific (Hong Kong)", alb: "Z3DQVH9N71FHZ0", nlb: "Z12Y7K3UBGUAD1", elbUser: "754344448648"},
	"sa-east-1":      {short: "sae1", zones: "abc", name: "South America (São Paulo)", alb: "Z2P70J7HTTTPLU", nlb: "ZTK26PT1VY4CU", s3List: "pl-6aa54003", elbUser: "507241528517"},
	"me-south-1":     {short: "mes1", zones: "abc", name: "Middle East (Bahrain)", alb: "ZS929ML54UICD", nlb: "Z3QSRYVP46NYYV", elbUser: "076674570225"},
	"me-central-1":   {short: "mec1", zones: "abc", name: "Middle East (UAE)", alb: "Z08230872XQRWHG2XF6I", nlb: "Z00282643NTTLPANJJG2P"},
	"af-south-1":     {short: "afs1", zones: "abc", name: "Africa (Cape Town)", alb: "Z268VQBMOI5EKX", nlb: "Z203XCE67M25HM", elbUser: "098369216593"},
	"il-central-1":   {short: "ilc1", zones: "abc", name: "Israel (Tel Aviv)", alb: "Z09170902867EHPV2DABU", nlb: "Z0313266YDI6ZRHTGQY4"},
	"mx-central-1":   {short: "mxc1", zones: "abc", name: "Mexico (Central)", alb: "Z023552324OKD1BB28BH5", nlb: "Z02031231H3ID5HJF8JTS"},
}

// zoneNames are the availability zones of a region, in order.
func zoneNames(name string) []string {
	var out []string
	if r := regions[name]; r != nil {
		for _, letter := range r.zones {
			out = append(out, name+string(letter))
		}
	}
	return out
}

// zoneID is the account-independent id of a zone ("use1-az1" for us-east-1a), or "".
func zoneID(zone string) string {
	if zone == "" {
		return ""
	}
	r, i := regions[zone[:len(zone)-1]], 0
	if r == nil {
		return ""
	}
	if i = strings.IndexByte(r.zones, zone[len(zone)-1]); i < 0 {
		return ""
	}
	n := i + 1
	if r.ids != nil {
		n = r.ids[i]
	}
	return r.short + "-az" + string(rune('0'+n))
}

// zoneOfID is the reverse of zoneID within a region.
func zoneOfID(region, id string) string {
	for _, z := range zoneNames(region) {
		if zoneID(z) == id {
			return z
		}
	}
	return ""
}

// fixed is a value that belongs to a region or service and never changes: n upper-case hexadecimal
// digits for the parts, where AWS publishes no value that matters to anyone.
func fixed(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
