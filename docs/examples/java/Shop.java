import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A shop: saves its catalogue, places an order and follows it until it is completed.
 *
 * <pre>KAFKA=127.0.0.1:9092 java -cp 'lib/*' Shop.java [ORDER_ID] [SUPPLIER_ID]</pre>
 *
 * Needs kafka-clients and jackson-databind.
 */
public class Shop {
    static final String KAFKA = System.getenv("KAFKA");
    static final Duration LIMIT = Duration.ofSeconds(60);
    static final List<String> FOLLOWED =
        List.of("catalog.events", "orders.events", "commands.rejected");
    static final ObjectMapper JSON = new ObjectMapper();

    /** Kind and body of what the order needs. */
    static List<Map.Entry<String, String>> catalogue(String supplier) {
        return List.of(
            Map.entry("Supplier", """
                {"ID": "%1$s", "Name": "Acme Lamps"}""".formatted(supplier)),
            Map.entry("Buyer", """
                {"ID": "hotel", "Name": "Hotel Adler", "Currency": "USD"}"""),
            Map.entry("PriceSchedule", """
                {"ID": "%1$s-lamp-price", "Name": "Lamp", "Currency": "USD", "PriceBreaks":
                 [{"Quantity": 1, "Price": 20.00}, {"Quantity": 10, "Price": 17.50}]}"""
                .formatted(supplier)),
            Map.entry("Product", """
                {"ID": "%1$s-lamp", "Name": "Lamp", "DefaultSupplierID": "%1$s",
                 "DefaultPriceScheduleID": "%1$s-lamp-price"}""".formatted(supplier)));
    }

    public static void main(String[] args) throws Exception {
        String order = args.length > 0 ? args[0] : "order-" + Instant.now().getEpochSecond();
        String supplier = args.length > 1 ? args[1] : "acme";
        var strings = new StringSerializer();
        var text = new StringDeserializer();
        // The order is accepted when Kafka has acknowledged it, on all replicas. Java's default
        // partitioner is the one that Ordermesh uses too.
        Map<String, Object> sending = Map.of(
            "bootstrap.servers", KAFKA, "acks", "all", "enable.idempotence", true);
        // Events from now on. A system that must miss nothing uses a consumer group instead, as
        // Supplier does.
        Map<String, Object> reading = Map.of("bootstrap.servers", KAFKA);
        try (var producer = new KafkaProducer<>(sending, strings, strings);
                var consumer = new KafkaConsumer<>(reading, text, text)) {
            var places = new ArrayList<TopicPartition>();
            for (String topic : FOLLOWED) {
                consumer.partitionsFor(topic)
                    .forEach(p -> places.add(new TopicPartition(topic, p.partition())));
            }
            consumer.assign(places);
            consumer.seekToEnd(places);
            places.forEach(consumer::position); // seekToEnd is lazy: this does it

            // Topics are consumed independently, so an order sent right behind its catalogue may
            // come before it: wait until the catalogue counts.
            Set<String> missing = new HashSet<>();
            for (var saved : catalogue(supplier)) {
                String id = JSON.readTree(saved.getValue()).get("ID").asText();
                send(producer, "catalog.commands", "Save" + saved.getKey(), id,
                    "save-" + id + "-for-" + order, saved.getValue());
                missing.add(saved.getKey() + "Saved " + id);
            }
            while (!missing.isEmpty()) {
                for (var event : poll(consumer)) {
                    missing.remove(header(event, "ce_type") + " " + event.key());
                }
            }

            send(producer, "orders.commands", "PlaceOrder", order, "place-" + order, """
                {"Order": {"ID": "%s", "FromCompanyID": "hotel"},
                 "LineItems": [{"ID": "1", "ProductID": "%s-lamp", "Quantity": 3}]}"""
                .formatted(order, supplier));
            followUntilCompleted(consumer, order);
        }
    }

    static void followUntilCompleted(KafkaConsumer<String, String> consumer, String order)
            throws Exception {
        Set<String> seen = new HashSet<>();
        while (true) {
            for (var event : poll(consumer)) {
                // An event may come twice, with the same source and ID.
                String identity = header(event, "ce_source") + "|" + header(event, "ce_id");
                if (!order.equals(event.key()) || !seen.add(identity)) {
                    continue;
                }
                String type = header(event, "ce_type");
                JsonNode body = JSON.readTree(event.value());
                System.out.println(type + " " + body.path("Order").path("Status").asText());
                if (type.equals("CommandRejected")) {
                    throw new IllegalStateException(body.get("Errors").toString());
                }
                if (type.equals("OrderCompleted")) {
                    return;
                }
            }
        }
    }

    static Iterable<ConsumerRecord<String, String>> poll(KafkaConsumer<String, String> consumer) {
        var events = consumer.poll(LIMIT);
        if (events.isEmpty()) {
            throw new IllegalStateException("nothing came for 60 s: is Ordermesh running?");
        }
        return events;
    }

    /** Sends a command; returns when Kafka has taken it. */
    static void send(KafkaProducer<String, String> producer, String topic, String type, String key,
            String id, String body) throws Exception {
        var record = new ProducerRecord<>(topic, key, body);
        Map.of(
            "ce_specversion", "1.0",
            "ce_type", type, // what the body is
            "ce_source", "/shop/java", // who sends: the same name every time
            "ce_id", id, // the same ID when the same command is sent again
            "content-type", "application/json"
        ).forEach((name, value) ->
            record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        producer.send(record).get();
    }

    static String header(ConsumerRecord<String, String> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }
}
