package file

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vidimus/internal/domain/fault"
)

// evaluation is where real files with labels lie; they are not ours to commit.
const evaluation = "../../../../shared/data/eval"

type labelled struct {
	File, Category, Special, Expect string
	content                         []byte
}

func labelledFiles(t *testing.T) []labelled {
	t.Helper()
	list, err := os.Open(filepath.Join(evaluation, "labels", "pdf.jsonl"))
	if err != nil {
		t.Skip("the evaluation data are not here")
	}
	defer func() { _ = list.Close() }()
	var all []labelled
	for lines := bufio.NewScanner(list); lines.Scan(); {
		var l labelled
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.content, err = os.ReadFile(filepath.Join(evaluation, "pdf", l.File)); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestEvaluationFilesAreReadAsLabelled(t *testing.T) {
	for _, l := range labelledFiles(t) {
		f, err := Open(l.content)
		refused := l.Expect == "encrypted" || l.Expect == "reject"
		if refused != (err != nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s (%s, %s): %v", l.File, l.Expect, l.Special, err)
			continue
		}
		if encrypted := err != nil && strings.Contains(err.Error(), "encrypted"); encrypted != (l.Expect == "encrypted") {
			t.Errorf("%s (%s, %s): %v", l.File, l.Expect, l.Special, err)
		}
		if err == nil {
			fields, err := f.Fields()
			if err != nil {
				t.Errorf("%s: %v", l.File, err)
			}
			t.Log(l.File, l.Expect, f.repaired, f.streams, len(f.xref), len(fields))
		}
	}
}
