package config_test

import (
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
)

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := config.Parse(base(1)); err != nil {
			b.Fatal(err)
		}
	}
}
