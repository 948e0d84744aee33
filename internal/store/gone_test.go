package store

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vidimus/internal/domain/company"
	"vidimus/internal/service/account"
)

// TestADeletedCompanyLeavesNothingInTheFile looks for the bytes of what a company had set, now
// and earlier, in the files of the embedded database.
func TestADeletedCompanyLeavesNothingInTheFile(t *testing.T) {
	for name, size := range map[string]int{"small": 300, "on pages of its own": 30_000} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(t.Context(), "", dir, testKey)
			if err != nil {
				t.Fatal(err)
			}
			id := func(n int) company.ID { return company.ID(fmt.Sprint("gone", n)) }
			put := func(n, revision int) {
				change(t, db, func(ctx context.Context) error {
					return db.PutCompany(ctx, account.Record{
						ID: id(n), Revision: int64(revision), Shortcode: company.Shortcode(fmt.Sprint("GO", n)),
						Settings:  []byte(`"` + strings.Repeat(fmt.Sprintf("Geheim%d-", n), size/8) + `"`),
						KeyHashes: fmt.Appendf(nil, "Hashes%d-", n), Secrets: fmt.Appendf(nil, "Secrets%d-", n), CreatedAt: noon, ChangedAt: noon,
					}, revision == 1)
				})
			}
			for revision := 1; revision <= 4; revision++ {
				for n := 1; n <= 8; n++ {
					put(n, revision)
				}
			}
			gone := []int{2, 5, 8}
			for _, n := range gone {
				change(t, db, func(ctx context.Context) error { _, err := db.RemoveCompany(ctx, id(n)); return err })
			}
			if err := db.Close(); err != nil { // empties the log into the file
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "vidimus.db*"))
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, f := range files {
				content, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range gone {
					for _, word := range []string{"Geheim", "Hashes", "Secrets"} {
						if times := bytes.Count(content, fmt.Appendf(nil, "%s%d-", word, n)); times > 0 {
							t.Errorf("%s%d- stands %d times in %s", word, n, times, filepath.Base(f))
						}
					}
				}
				if filepath.Ext(f) == ".db" && !bytes.Contains(content, []byte("Geheim1-")) {
					t.Error("what is not deleted is not found: the search is none")
				}
			}
		})
	}
}
