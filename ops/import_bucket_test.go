package ops

import (
	"fmt"
	"strings"
	"testing"
)

func TestImportIntoABucket(t *testing.T) {
	t.Parallel()
	r, bucket := newRig(t), newS3(t, "files-key-id")
	r.env = append(r.env, "DATABASES=", "GIT_SOURCES=", "TARGETS_DIR=/nowhere", "FILES_TO_PROVIDER=Other", "FILES_TO_ENDPOINT="+bucket.URL, "AWS_REGION=eu-central-1", "NO_PROXY=127.0.0.1", "AWS_CA_BUNDLE=")
	write(t, r.dir+"/secrets/files_access_key_id", "files-key-id", 0o600)
	write(t, r.dir+"/secrets/files_secret_access_key", bucketKey, 0o600)
	for i := range 20 {
		write(t, fmt.Sprintf("%s/sources/files/many/%d.bin", r.dir, i), strings.Repeat("x", i), 0o600)
	}
	r.must([]string{"BACKUP_NOW=2026-02-20 03:15:00 UTC"}, "backup")
	to := []string{"--files-to", "s3:uploads/app"}
	keys := func() string { return strings.Join(bucket.names("uploads/"), "\n") }
	bucket.objects["uploads/other/kept"] = object{content: []byte("x")}
	bucket.objects["uploads/app/strange"] = object{content: []byte("x")}
	if code, out := r.try(nil, "import", append([]string{fixedStamp}, to...)...); code != 1 || !strings.Contains(out, "which would be deleted") {
		t.Errorf("somebody else's files were deleted: %d %s", code, out)
	}
	delete(bucket.objects, "uploads/app/strange")
	// Cut off after half of the files.
	cut := r.shim("rclone", `if [ "$1" = sync ]; then "$REAL" copy --include '/many/1*' "${@: -2}"; kill -9 $PPID; sleep 0.2; exit 9; fi; exec "$REAL" "$@"`)
	if code, out := r.try(cut, "import", append([]string{fixedStamp}, to...)...); code != -1 {
		t.Errorf("not cut off: %d %s", code, out)
	}
	if got := strings.Count(keys(), "many/"); got != 11 {
		t.Errorf("%d files of the first run, want 11", got)
	}
	bucket.objects["uploads/app/many/1.bin"] = object{content: []byte("damaged")}
	bucket.objects["uploads/app/too much"] = object{content: []byte("x")}
	before := bucket.puts
	out := r.must(r.recording(), "import", append([]string{fixedStamp}, to...)...)
	if !strings.Contains(out, `"result":"imported"`) || !strings.Contains(out, `"files":21`) {
		t.Errorf("the import says %s", out)
	}
	// 10 that were missing, 1 damaged, the mark twice.
	if got := bucket.puts - before; got != 13 {
		t.Errorf("%d objects written, want 13", got)
	}
	if got := string(bucket.objects["uploads/app/a b/ü.bin"].content); got != canary+"\x00\x01" || strings.Contains(keys(), "too much") || !strings.Contains(keys(), "other/kept") {
		t.Errorf("the bucket has\n%s", keys())
	}
	before = bucket.puts
	if out = r.must(nil, "import", append([]string{fixedStamp}, to...)...); !strings.Contains(out, `"result":"unchanged"`) || bucket.puts != before {
		t.Errorf("the second import says %s", out)
	}
	r.noSecretsRecorded()
}
