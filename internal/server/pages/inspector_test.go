package pages_test

import (
	"bytes"
	"context"
	"errors"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// inspector takes for a PDF what begins like one, and finds each text and field as often as
// its name stands in the file; pages there are three. A file with the word trouble breaks it.
type inspector struct{}

func (inspector) Check(_ context.Context, file []byte) error {
	switch {
	case bytes.Contains(file, []byte("trouble")):
		return errors.New("the inspector broke")
	case !bytes.HasPrefix(file, []byte("%PDF-")):
		return fault.New(fault.Invalid, "This is not a PDF file")
	}
	return nil
}

func (inspector) Places(_ context.Context, file []byte, want []esign.Signature) ([]esign.Spot, error) {
	var all []esign.Spot
	for _, w := range want {
		n := bytes.Count(file, []byte(w.Position.AcroField+w.Position.TextContent))
		if w.Position.Page > 0 {
			n = 0
			if w.Position.Page <= 3 {
				n = 1
			}
		}
		for range n {
			all = append(all, esign.Spot{Signature: w.Name, Page: 1})
		}
	}
	return all, nil
}
