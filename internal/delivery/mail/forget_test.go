package mail

import (
	"os"
	"path/filepath"
	"testing"
)

func TestResultsLeaveTheOutboxWithTheirIdentification(t *testing.T) {
	dir := t.TempDir()
	if err := Forget(dir, "IBA-22222"); err != nil {
		t.Errorf("without an outbox: %v", err)
	}
	sender, err := Outbox(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Message{
		{IdentID: "IBA-22222", Text: "one"}, {IdentID: "IBA-22222", Text: "two"}, {IdentID: "IBA-33333", Text: "another's"}, {Text: "a notice"},
	} {
		m.To, m.Subject, m.ID = "office@bank.example", "Subject", "mail_1"
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for id, left := range map[string]int{"": 4, "IBA-2222": 4} {
		if err := Forget(dir, id); err != nil {
			t.Error(err)
		}
		if files, err := os.ReadDir(filepath.Join(dir, "outbox", "mail")); err != nil || len(files) != left {
			t.Errorf("%q leaves %v, %v", id, files, err)
		}
	}
	for range 2 {
		if err := Forget(dir, "IBA-22222"); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(filepath.Join(dir, "outbox", "mail")); err != nil || len(files) != 2 {
		t.Errorf("%v are left, %v", files, err)
	}
}
