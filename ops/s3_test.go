package ops

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// s3 is a server with the part of the S3 API that rclone uses for small objects.
type s3 struct {
	*httptest.Server
	keyID string

	mu      sync.Mutex
	objects map[string]object // by bucket/key
	puts    int
}

type object struct {
	content []byte
	meta    http.Header
	changed time.Time
}

type listing struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	IsTruncated    bool
	Contents       []listed
	CommonPrefixes []prefix
}

type listed struct {
	Key, LastModified, ETag string
	Size                    int
}

type prefix struct{ Prefix string }

func newS3(t *testing.T, keyID string) *s3 {
	s := &s3{keyID: keyID, objects: map[string]object{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (o object) etag() string {
	sum := md5.Sum(o.content)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.Contains(r.Header.Get("Authorization"), "Credential="+s.keyID+"/") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(name, "/")
	if key == "" {
		s.list(w, r, bucket)
		return
	}
	switch r.Method {
	case http.MethodPut:
		s.put(w, r, name)
	case http.MethodGet, http.MethodHead:
		o, ok := s.objects[name]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		for k, v := range o.meta {
			w.Header()[k] = v
		}
		w.Header().Set("ETag", o.etag())
		http.ServeContent(w, r, "", o.changed, strings.NewReader(string(o.content)))
	case http.MethodDelete:
		delete(s.objects, name)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *s3) put(w http.ResponseWriter, r *http.Request, name string) {
	content, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("X-Amz-Copy-Source") != "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o := object{content: content, meta: http.Header{}, changed: time.Now().UTC()}
	for k, v := range r.Header {
		if strings.HasPrefix(k, "X-Amz-Meta-") {
			o.meta[k] = v
		}
	}
	s.objects[name], s.puts = o, s.puts+1
	w.Header().Set("ETag", o.etag())
}

func (s *s3) list(w http.ResponseWriter, r *http.Request, bucket string) {
	begin, delimiter := r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter")
	out := listing{}
	encode := func(s string) string { return s }
	if r.URL.Query().Get("encoding-type") == "url" {
		encode = url.QueryEscape
	}
	seen := map[string]bool{}
	for _, name := range s.names(bucket + "/" + begin) {
		key := strings.TrimPrefix(name, bucket+"/")
		if dir, _, deeper := strings.Cut(strings.TrimPrefix(key, begin), "/"); deeper && delimiter == "/" {
			if !seen[dir] {
				out.CommonPrefixes = append(out.CommonPrefixes, prefix{encode(begin + dir + "/")})
			}
			seen[dir] = true
			continue
		}
		o := s.objects[name]
		out.Contents = append(out.Contents, listed{Key: encode(key), LastModified: o.changed.Format(time.RFC3339), ETag: o.etag(), Size: len(o.content)})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(out)
}

// names are those that begin so, sorted.
func (s *s3) names(begin string) []string {
	var list []string
	for name := range s.objects {
		if strings.HasPrefix(name, begin) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
