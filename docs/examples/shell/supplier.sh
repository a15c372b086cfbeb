#!/usr/bin/env bash
# A supplier's system: reads the orders that it has to fill and reports each as shipped.
#
#   KAFKA=127.0.0.1:9092 ./supplier.sh [SUPPLIER_ID] [HOW_MANY]
#
# Without HOW_MANY it runs until Ctrl-C. Every start reads the orders of the last day again and
# reports them again: the same ce_id, so nothing changes. Needs kcat and jq.
set -euo pipefail
: "${KAFKA:?set it to the bootstrap servers, HOST:PORT}"
supplier=${1:-acme}
left=${2:--1}
since=$((($(date +%s) - 86400) * 1000))

# Reports the whole of a supplier order, given as JSON, as shipped now.
ship() {
  local id body
  id=$(jq -r '"ship-" + .Order.ID' <<<"$1")
  body=$(jq -c --arg id "$id" --arg supplier "$supplier" --arg now "$(date -u +%FT%TZ)" '{
    ID: $id, SupplierID: $supplier, Shipper: "Parcel Co", TrackingNumber: "PC123",
    DateShipped: $now,
    Items: [.Order.ID as $order | .LineItems[] |
      {OrderID: $order, LineItemID: .ID, QuantityShipped: .Quantity}]
  }' <<<"$1")
  # The ID is made of the order: the same shipment is recognised.
  kcat -P -b "$KAFKA" -t shipments.commands -k "$id" -X acks=all \
    -X topic.partitioner=murmur2_random \
    -H ce_specversion=1.0 -H ce_type=CreateShipment -H "ce_source=/supplier/$supplier" \
    -H "ce_id=create-$id" -H content-type=application/json <<<"$body"
  echo "shipped $(jq -r .Order.ID <<<"$1")"
}

# Ends kcat when enough has been shipped.
trap 'kill "$reader" 2>/dev/null || true' EXIT
exec {forwarded}< <(exec kcat -C -q -u -b "$KAFKA" -t supplier-orders.events -o "s@$since" \
  -f '%h\t%s\n')
reader=$!
while [[ $left -ne 0 ]] && IFS=$'\t' read -r headers body <&"$forwarded"; do
  # Other types, and types that are new, are passed over.
  if [[ $headers == *ce_type=SupplierOrderForwarded* ]] &&
    [[ $(jq -r .Order.ToCompanyID <<<"$body") == "$supplier" ]]; then
    ship "$body"
    left=$((left - 1))
  fi
done
